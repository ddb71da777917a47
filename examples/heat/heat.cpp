/// Heat in a square plate, solved on a FastGPU cluster. Each job is an array of tasks, one per band
/// of rows, that move their bands on by many time steps; between the jobs this program puts the
/// bands together and cuts them again, with fresh halos. It prints how the slowest mode decays
/// beside what the theory says, and writes a picture of the plate with each line.
///
///   heat --server 127.0.0.1:7601 [--jobs 60] [--bands 6] [--pictures FOLDER] [--field FILE]

#include <cmath>
#include <cstdio>
#include <numbers>

#include "examples/heat/plate.hpp"
#include "examples/support/session.hpp"

namespace {

constexpr std::size_t inner = 120;         // cells between the edges; bands divide it evenly
constexpr std::size_t steps_per_job = 20;  // as many halo rows travel with each side of a band
constexpr double ratio = 0.2;              // dt / h^2; above 1/4 the formula is unstable

struct Options {
  examples::SessionOptions session{.servers = {}, .kernel_file = "examples/heat/heat.cu"};
  std::size_t jobs{60};
  std::size_t bands{6};
  std::string pictures{"."};
  std::string field;
};

/// One job: the whole plate, steps_per_job steps on.
void advance(examples::Session& session, heat::Plate& plate, std::size_t bands) {
  const std::size_t rows = inner / bands;
  std::vector<fastgpu::Bytes> held;
  for (std::size_t band = 0; band < bands; ++band) {
    held.push_back(examples::bytes_of(plate.cut(band * rows, rows, steps_per_job)));
  }
  const std::size_t held_bytes = held.front().size();
  const auto spec = session.job("advance")
                        .grid(1)
                        .block(128)
                        .tasks(static_cast<std::uint32_t>(bands))
                        .in_each(std::move(held))
                        .scratch(2 * held_bytes)
                        .out(rows * plate.side() * sizeof(double))
                        .arg_text(fastgpu::Scalar::i32, "{}")
                        .arg(static_cast<std::int32_t>(rows))
                        .arg(static_cast<std::int32_t>(plate.side()))
                        .arg(static_cast<std::int32_t>(steps_per_job))
                        .arg(ratio);
  const auto outputs = session.run(spec);
  for (std::size_t band = 0; band < bands; ++band) {
    plate.paste(band * rows, outputs[band].at(0).as<double>());
  }
}

/// Sorts by the step, so that `animate heat-*.ppm` is a film.
std::string picture_name(std::size_t step) {
  const std::string digits = std::to_string(step);
  return "/heat-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits + ".ppm";
}

void report(const heat::Plate& plate, std::size_t step, double time, double start) {
  const double mode = plate.slowest_mode();
  const double theory = start * std::exp(-2 * std::numbers::pi * std::numbers::pi * time);
  std::printf("%-6zu %-8.5f %-8.5f %-12.8f %-11.8f %.1e\n", step, time, plate.hottest(), mode,
              theory, std::abs(mode / theory - 1));
  std::fflush(stdout);
}

void solve(const Options& options) {
  examples::Session session(options.session);
  heat::Plate plate(inner);
  const double start = plate.slowest_mode();
  const double step_time = ratio * plate.spacing() * plate.spacing();
  std::printf("%-6s %-8s %-8s %-11s %-11s %s\n", "STEP", "TIME", "HOTTEST", "SLOWEST MODE",
              "THEORY", "DIFFERENCE");
  const std::size_t line_every = options.jobs < 10 ? 1 : options.jobs / 10;
  for (std::size_t job = 0; job <= options.jobs; ++job) {
    if (job > 0) {
      advance(session, plate, options.bands);
    }
    if (job % line_every == 0 || job == options.jobs) {
      const auto step = job * steps_per_job;
      report(plate, step, static_cast<double>(step) * step_time, start);
      examples::write_file(options.pictures + picture_name(step), plate.picture());
    }
  }
  if (!options.field.empty()) {
    const auto bytes = examples::bytes_of(plate.cells());
    examples::write_file(options.field, {bytes.begin(), bytes.end()});
  }
  session.print_places();
  std::printf("\na picture for each line of the table, the first in %s%s\n",
              options.pictures.c_str(), picture_name(0).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Heat in a square plate, solved on a FastGPU cluster"};
  options.session.add_to(app);
  app.add_option("--jobs", options.jobs, "each is 20 time steps")->check(CLI::Range(1, 100000));
  app.add_option("--bands", options.bands, "tasks of a job")
      ->check(CLI::IsMember({1, 2, 3, 4, 5, 6, 8, 10, 12}));
  app.add_option("--pictures", options.pictures, "the folder to write them to");
  app.add_option("--field", options.field, "the last temperatures, as float64 row by row");
  CLI11_PARSE(app, argc, argv);
  return examples::report_failure("heat", [&] { solve(options); });
}
