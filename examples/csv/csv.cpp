/// Statistics of a table on a FastGPU cluster: penguins by species, their mass by least squares,
/// and their sex by logistic regression. Each is an array of tasks over shards of the rows that
/// return sums, and a few lines of algebra in this program.
///
///   csv --server 127.0.0.1:7601 [--data penguins.csv] [--shards 8] [--save FILE]

#include <cstdio>

#include "examples/csv/fits.hpp"

namespace {

struct Options {
  examples::SessionOptions session{.servers = {}, .kernel_file = "examples/csv/csv.cu"};
  std::string data{"examples/csv/data/penguins.csv"};
  std::size_t shards{8};
  std::string save;
};

/// Lines "name,value" with all digits.
class Values {
 public:
  void add(const std::string& name, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.17g", value);
    text_ += name + "," + digits + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_{"name,value\n"};
};

void show_groups(const csv::GroupMoments& groups, Values& values) {
  std::printf("\n%-10s %-6s", "SPECIES", "COUNT");
  for (const char* measure : csv::measures) {
    std::printf(" %-19s", measure);
  }
  std::printf("means (deviations)\n");
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const std::string name = csv::species[group];
    std::printf("%-10s %-6.0f", name.c_str(), groups[group][0].count);
    values.add("count " + name, groups[group][0].count);
    for (std::size_t at = 0; at < csv::measures.size(); ++at) {
      const csv::Moments& moments = groups[group][at];
      char cell[32];
      std::snprintf(cell, sizeof cell, "%7.2f (%.2f)", moments.mean, moments.deviation());
      std::printf(at + 1 < csv::measures.size() ? " %-19s" : " %s", cell);
      values.add("mean " + name + " " + csv::measures[at], moments.mean);
      values.add("deviation " + name + " " + csv::measures[at], moments.deviation());
    }
    std::printf("\n");
  }
}

void show_fit(const csv::Fit& fit, const std::string& kind, Values& values) {
  std::printf("%-18s %14s %12s %8s\n", "TERM", "COEFFICIENT", "STD ERROR", "RATIO");
  for (std::size_t i = 0; i < fit.coefficients.size(); ++i) {
    const std::string name = i == 0 ? "constant" : csv::measures[i - 1];
    const double coefficient = fit.coefficients[i];
    std::printf("%-18s %14.6f %12.6f %8.2f\n", name.c_str(), coefficient, fit.errors[i],
                coefficient / fit.errors[i]);
    values.add(kind + " coefficient " + name, coefficient);
    values.add(kind + " error " + name, fit.errors[i]);
  }
}

void analyse(const Options& options) {
  examples::Session session(options.session);
  const csv::Table table = csv::load(options.data);
  csv::Fitter fitter(session, table, options.shards);
  std::printf("%zu penguins in %zu shards; %zu more lack a value\n", table.rows(),
              fitter.shard_count(), table.incomplete);
  Values values;
  const csv::GroupMoments groups = fitter.summarise();
  show_groups(groups, values);

  const csv::AllMoments all = csv::all_groups(groups);
  const csv::LinearFit mass = fitter.fit_mass(all);
  std::printf("\nbody_mass_g by least squares, R squared %.4f\n", mass.r_squared);
  show_fit(mass, "linear", values);
  values.add("linear r_squared", mass.r_squared);

  const csv::LogisticFit male = fitter.fit_male(all);
  std::printf("\nlog odds of a male by maximum likelihood, %zu Newton steps\n", male.steps);
  show_fit(male, "logistic", values);
  values.add("logistic log_likelihood", male.log_likelihood);
  values.add("logistic right", male.right);
  std::printf("log-likelihood %.4f; it tells the sex of %.1f %% of the penguins rightly\n",
              male.log_likelihood, 100 * male.right / static_cast<double>(table.rows()));
  session.print_places();
  if (!options.save.empty()) {
    examples::write_file(options.save, values.text());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Statistics of a table of penguins on a FastGPU cluster"};
  options.session.add_to(app);
  app.add_option("--data", options.data, "the table");
  app.add_option("--shards", options.shards, "of the rows, a task each")->check(CLI::Range(1, 300));
  app.add_option("--save", options.save, "a file for all results with all their digits");
  CLI11_PARSE(app, argc, argv);
  return examples::report_failure("csv", [&] { analyse(options); });
}
