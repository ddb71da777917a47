#include "tests/chaos/options.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <sstream>

namespace fastgpu::chaos {
namespace {

constexpr std::array names{"kill",    "kill-all", "kill-some", "freeze", "freeze-long", "cut",
                           "one-way", "bridge",   "slow",      "reset",  "full-disk"};
static_assert(names.size() == fault_kinds);

/// How often each kind comes when all are on: kill -9 finds most.
constexpr std::array<std::uint32_t, fault_kinds> usual_weights{40, 5, 5, 12, 5, 10, 8, 5, 5, 5, 5};

base::Error bad(const std::string& what) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, what, usage()};
}

base::Result<std::uint64_t> number_of(const std::string& flag, const std::string& text,
                                      std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return bad(flag + " takes a number from " + std::to_string(least) + " to " +
               std::to_string(most) + ", not '" + text + "'");
  }
  return value;
}

base::Status set_kinds(const std::string& text, ChaosOptions& options) {
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const auto* const found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) {
      return bad("'" + word + "' is no kind of fault");
    }
    options.only.push_back(static_cast<FaultKind>(found - names.begin()));
  }
  return {};
}

/// A flag with a value; false where there is no such flag.
base::Result<bool> set(const std::string& flag, const std::string& value, ChaosOptions& options) {
  struct Number {
    const char* flag;
    std::uint64_t least, most;
    int* into;
  };
  const Number numbers[] = {{"--nodes", 3, 7, &options.nodes},
                            {"--devices", 1, 8, &options.devices},
                            {"--replicas", 3, 5, &options.replicas},
                            {"--replicas-expected", 1, 5, &options.replicas_expected},
                            {"--rounds", 1, 100'000, &options.rounds},
                            {"--minutes", 1, 10'000, &options.minutes}};
  for (const Number& number : numbers) {
    if (flag == number.flag) {
      const auto read = number_of(flag, value, number.least, number.most);
      if (!read.ok()) {
        return read.error();
      }
      *number.into = static_cast<int>(read.value());
      return true;
    }
  }
  if (flag == "--seed") {
    const auto read = number_of(flag, value, 0, ~std::uint64_t{0});
    if (!read.ok()) {
      return read.error();
    }
    options.seed = read.value();
  } else if (flag == "--only") {
    if (const base::Status good = set_kinds(value, options); !good.ok()) {
      return good.error();
    }
  } else if (flag == "--dir") {
    options.folder = value;
  } else if (flag == "--check") {
    options.check = value;
  } else {
    return false;
  }
  return true;
}

int between(base::Random& random, int least, int most) {
  return least + static_cast<int>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

FaultKind draw_kind(const Plan& plan, base::Random& random) {
  const auto sum = std::accumulate(plan.weights.begin(), plan.weights.end(), 0u);
  std::uint64_t left = random.below(sum);
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    if (left < plan.weights[kind]) {
      return static_cast<FaultKind>(kind);
    }
    left -= plan.weights[kind];
  }
  return FaultKind::kill;
}

}  // namespace

const char* name_of(FaultKind kind) {
  return names.at(static_cast<std::size_t>(kind));
}

Plan draw_plan(const ChaosOptions& options, base::Random& random) {
  Plan plan;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    const bool asked = std::find(options.only.begin(), options.only.end(),
                                 static_cast<FaultKind>(kind)) != options.only.end();
    // Each seed leaves some kinds out: what comes rarely then comes often.
    const bool drawn = kind == 0 || options.quick || random.chance(700'000);
    plan.weights[kind] = (options.only.empty() ? drawn : asked) ? usual_weights[kind] : 0;
  }
  plan.clients = options.quick ? 3 : between(random, 2, 6);
  plan.pause_ms = options.quick ? 120 : between(random, 40, 250);
  plan.pause_round_ms = options.quick ? 200 : between(random, 100, 1500);
  plan.command_ppm =
      options.quick ? 350'000 : 100'000 * static_cast<std::uint32_t>(between(random, 1, 6));
  plan.second_ppm = options.quick || !options.only.empty()
                        ? 0
                        : 50'000 * static_cast<std::uint32_t>(random.below(4));
  plan.reset_at_cut_ppm = 100'000 * static_cast<std::uint32_t>(between(random, 0, 10));
  plan.freeze_ms_max = options.quick ? 2000 : between(random, 500, 9000);
  plan.freeze_long_ms_max = options.quick ? 11'000 : between(random, 11'000, 60'000);
  plan.cut_ms_max = options.quick ? 2500 : between(random, 1000, 20'000);
  return plan;
}

std::vector<FaultKind> draw_rounds(const ChaosOptions& options, const Plan& plan,
                                   base::Random& random) {
  std::vector<FaultKind> rounds;
  if (options.quick && options.only.empty()) {
    using enum FaultKind;
    rounds = {kill, freeze_long, cut, kill, one_way, kill, reset, kill_all};
  }
  while (rounds.size() < static_cast<std::size_t>(options.rounds)) {
    rounds.push_back(draw_kind(plan, random));
  }
  rounds.resize(static_cast<std::size_t>(options.rounds));
  return rounds;
}

std::string to_text(const ChaosOptions& options, const Plan& plan) {
  std::ostringstream text;
  text << "seed " << options.seed << ": " << options.nodes << " nodes with " << options.devices
       << " CPU devices each, " << options.replicas << " replicas of each shard, "
       << options.replicas_expected << " expected, " << options.rounds << " rounds"
       << (options.quick ? ", the short ones" : "") << "\n"
       << "  " << plan.clients << " clients, a call of each every " << plan.pause_ms
       << " ms or so, " << plan.command_ppm / 10'000 << " % of the submits are commands; "
       << plan.pause_round_ms << " ms between rounds\n"
       << "  frozen up to " << plan.freeze_ms_max << " ms, long up to " << plan.freeze_long_ms_max
       << " ms; links cut up to " << plan.cut_ms_max << " ms, " << plan.reset_at_cut_ppm / 10'000
       << " % of the cuts break connections; " << plan.second_ppm / 10'000
       << " % of the rounds kill another node meanwhile; weights:";
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    text << " " << names[kind] << "=" << plan.weights[kind];
  }
  return text.str();
}

base::Result<ChaosOptions> parse_options(const std::vector<std::string>& words) {
  ChaosOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& flag = words[i];
    if (flag == "--quick") {
      options.quick = true;
    } else if (flag == "--keep") {
      options.keep = true;
    } else if (i + 1 == words.size()) {
      return bad("'" + flag + "' is no flag, or lacks its value");
    } else {
      const base::Result<bool> known = set(flag, words[++i], options);
      if (!known.ok()) {
        return known.error();
      }
      if (!known.value()) {
        return bad("'" + flag + "' is no flag");
      }
    }
  }
  if (options.replicas == 4) {
    return bad("--replicas takes 3 or 5, not 4");
  }
  return options;
}

std::string replay_command(const ChaosOptions& options) {
  std::string command =
      "scripts/chaos --seed " + std::to_string(options.seed) + " --rounds " +
      std::to_string(options.rounds) + " --nodes " + std::to_string(options.nodes) + " --devices " +
      std::to_string(options.devices) + " --replicas " + std::to_string(options.replicas) +
      " --replicas-expected " + std::to_string(options.replicas_expected) +
      (options.quick ? " --quick" : "");
  for (std::size_t i = 0; i < options.only.size(); ++i) {
    command += (i == 0 ? " --only " : ",") + std::string(name_of(options.only[i]));
  }
  return command;
}

std::string usage() {
  std::string text =
      "chaos [--seed S] [--rounds N | --minutes N] [--nodes N] [--devices N] "
      "[--replicas 3|5] [--replicas-expected 1|3] [--only KIND,...] [--quick] [--keep] "
      "[--dir FOLDER] [--check FOLDER]; kinds:";
  for (const char* name : names) {
    text += std::string(" ") + name;
  }
  return text;
}

}  // namespace fastgpu::chaos
