#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client/error_words.hpp"
#include "node/cli/command_table.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/progress.hpp"
#include "node/cli/selector.hpp"

namespace fastgpu::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Commands, EveryOneOfTheTableHasHelp) {
  for (const Command& command : command_table()) {
    std::vector<std::string> words;
    const std::string name = command.name;
    const std::size_t blank = name.find(' ');
    words.push_back(name.substr(0, blank));
    if (blank != std::string::npos) {
      words.push_back(name.substr(blank + 1));
    }
    words.push_back("--help");
    const Parsed parsed = parse(words);
    EXPECT_EQ(parsed.command, nullptr) << name;
    EXPECT_EQ(parsed.exit_code, 0) << name;
    EXPECT_FALSE(parsed.text.empty()) << name;
  }
}

TEST(Commands, AreThoseOfTheContract) {
  std::set<std::string> names;
  for (const Command& command : command_table()) {
    names.insert(command.name);
  }
  EXPECT_EQ(names,
            (std::set<std::string>{
                "version",    "help",         "run",         "submit", "ps",        "show",
                "wait",       "cancel",       "status",      "gpus",   "node list", "node token",
                "node drain", "node undrain", "node remove", "up",     "cp",        "why",
                "logs",       "attach",       "retry",       "events", "doctor"}));
}

TEST(Commands, TakeGlobalFlagsBeforeAndAfterTheVerb) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--json", "--server", "a:1,b:2", "ps", "-a"},
                                             {"ps", "-a", "--server", "a:1,b:2", "--json"}}) {
    const Parsed parsed = parse(words);
    ASSERT_NE(parsed.command, nullptr) << parsed.text;
    EXPECT_STREQ(parsed.command->name, "ps");
    EXPECT_TRUE(parsed.invocation.global.json);
    EXPECT_EQ(parsed.invocation.global.servers, (std::vector<std::string>{"a:1", "b:2"}));
    EXPECT_TRUE(parsed.invocation.finished_too);
  }
}

TEST(Commands, ReadTheKernelFlagsOfTheContract) {
  const Parsed parsed = parse({"run",
                               "--kernel",
                               "saxpy<float>",
                               "--source",
                               "saxpy.cu",
                               "--grid",
                               "4096",
                               "--block",
                               "256",
                               "--arg",
                               "i32:10",
                               "--arg",
                               "f32:2.5",
                               "--arg",
                               "in:x.f32",
                               "--define",
                               "N=4",
                               "--std",
                               "c++20",
                               "--tasks",
                               "300",
                               "--device",
                               "cpu",
                               "--precise",
                               "--name",
                               "s",
                               "--retries",
                               "2",
                               "--if-infeasible",
                               "wait",
                               "-d"});
  ASSERT_NE(parsed.command, nullptr) << parsed.text;
  const KernelFlags& kernel = parsed.invocation.job.kernel;
  EXPECT_EQ(kernel.kernel, "saxpy<float>");
  EXPECT_EQ(kernel.arguments, (std::vector<std::string>{"i32:10", "f32:2.5", "in:x.f32"}));
  EXPECT_EQ(kernel.defines, (std::vector<std::string>{"N=4"}));
  EXPECT_EQ(parsed.invocation.job.tasks, 300u);
  EXPECT_TRUE(kernel.precise);
  EXPECT_TRUE(parsed.invocation.detach);
}

TEST(Commands, LeaveWhatStandsBehindTwoDashesToTheCommand) {
  const Parsed parsed =
      parse({"run", "--in", "a.csv:b.csv", "--in", "dir", "--out", "r.csv", "--env", "A=1", "--mem",
             "8GiB", "--after", "17:any", "--", "python3", "x.py", "--in", "--json", "--"});
  ASSERT_NE(parsed.command, nullptr) << parsed.text;
  const JobFlags& job = parsed.invocation.job;
  EXPECT_EQ(job.command.argv,
            (std::vector<std::string>{"python3", "x.py", "--in", "--json", "--"}));
  EXPECT_EQ(job.command.inputs, (std::vector<std::string>{"a.csv:b.csv", "dir"}));
  EXPECT_EQ(job.command.outputs, (std::vector<std::string>{"r.csv"}));
  EXPECT_EQ(job.command.memory, "8GiB");
  EXPECT_EQ(job.after, (std::vector<std::string>{"17:any"}));
  EXPECT_FALSE(parsed.invocation.global.json);
}

TEST(Commands, FindTheVerbOfANoun) {
  const Parsed parsed = parse({"node", "list", "--json"});
  ASSERT_NE(parsed.command, nullptr) << parsed.text;
  EXPECT_STREQ(parsed.command->name, "node list");
  EXPECT_TRUE(parsed.invocation.global.json);
}

TEST(Commands, ExitWithTwoWhenTheyAreNotUnderstood) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {},
           {"fly"},
           {"ps", "--fly"},
           {"show"},
           {"ps", "--", "python3"},
           {"run", "--kernel", "k", "--source", "s", "--tasks", "0"},
           {"run", "--kernel", "k", "--source", "s", "--device", "tpu"},
           {"node"},
           {"ps", "-o", "xml"},
           {"up", "--nodes", "0"},
           {"up", "--nodes", "5", "--replicas", "2"}}) {
    const Parsed parsed = parse(words);
    EXPECT_EQ(parsed.command, nullptr);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_FALSE(parsed.text.empty());
  }
}

TEST(Commands, TellWhereACommandStandsWhoForgetTheTwoDashes) {
  for (const char* verb : {"run", "submit"}) {
    EXPECT_THAT(parse({verb, "--in", "a.csv", "python3", "x.py"}).text, HasSubstr(" -- python3"));
  }
  EXPECT_THAT(parse({"show", "17", "--fly"}).text, Not(HasSubstr("--:")));
}

TEST(Selectors, RefusesATaskWhereOnlyAWholeJobCanBeMeant) {
  EXPECT_TRUE(refuse_task(parse_selector("17").value(), "17").ok());
  const base::Status refused = refuse_task(parse_selector("17.3").value(), "17.3");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::usage);
}

TEST(Selectors, ReadEveryForm) {
  EXPECT_EQ(parse_selector("17").value(), (Selector{base::JobId{17}, {17}, {}, ""}));
  EXPECT_EQ(parse_selector("17.3").value(), (Selector{base::JobId{17}, {17}, 3, ""}));
  EXPECT_EQ(parse_selector("3-9").value(), (Selector{base::JobId{3}, {9}, {}, ""}));
  EXPECT_EQ(parse_selector("last").value(), (Selector{{}, {}, {}, ""}));
  EXPECT_EQ(parse_selector("@sweep").value(), (Selector{{}, {}, {}, "sweep"}));
  for (const char* text : {"", "x", "1.", ".1", "9-3", "1-2.3", "@", "-1", "1-"}) {
    EXPECT_FALSE(parse_selector(text).ok()) << text;
  }
}

TEST(Selectors, AreSplitAtCommasUnlessTheyAreANames) {
  EXPECT_EQ(split_selector("1-3,7,17.3"), (std::vector<std::string>{"1-3", "7", "17.3"}));
  EXPECT_EQ(split_selector("17"), (std::vector<std::string>{"17"}));
  EXPECT_EQ(split_selector("@a,b"), (std::vector<std::string>{"@a,b"}));
  EXPECT_EQ(split_selector(""), (std::vector<std::string>{""}));
  EXPECT_EQ(split_selector("1,"), (std::vector<std::string>{"1", ""}));
}

TEST(Commands, ActOnJobsThatAreNamedOrHaveALabel) {
  for (const char* verb : {"show", "wait", "cancel", "why", "logs", "retry"}) {
    EXPECT_EQ(parse({verb}).exit_code, 2) << verb;
    EXPECT_NE(parse({verb, "17"}).command, nullptr) << verb;
    const Parsed labelled = parse({verb, "--label", "stage=train", "--label", "team=vision"});
    ASSERT_NE(labelled.command, nullptr) << verb;
    EXPECT_EQ(labelled.invocation.labels, (std::vector<std::string>{"stage=train", "team=vision"}));
  }
  EXPECT_NE(parse({"events"}).command, nullptr);
  EXPECT_NE(parse({"ps", "--label", "stage=train"}).command, nullptr);
}

TEST(Commands, ReadTheChangesOfARetry) {
  const Parsed parsed = parse({"retry", "17", "--failed", "--mem", "8GiB", "--retries", "0",
                               "--env", "A=1", "--set-label", "try=2"});
  ASSERT_NE(parsed.command, nullptr) << parsed.text;
  EXPECT_TRUE(parsed.invocation.retry.failed);
  EXPECT_EQ(parsed.invocation.retry.retries, 0u);
  EXPECT_EQ(parsed.invocation.retry.labels, (std::vector<std::string>{"try=2"}));
  EXPECT_FALSE(parse({"retry", "17"}).invocation.retry.retries);
}

TEST(Selectors, FindJobsByRangeNameAndTime) {
  std::vector<protocol::JobSummary> jobs(3);
  jobs[0].job = {3};
  jobs[0].name = "a";
  jobs[0].submitted_at_ms = 30;
  jobs[1].job = {5};
  jobs[1].name = "b";
  jobs[1].submitted_at_ms = 10;
  jobs[2].job = {9};
  jobs[2].name = "a";
  jobs[2].submitted_at_ms = 20;
  const auto found = [&](const char* text) { return matches(parse_selector(text).value(), jobs); };
  EXPECT_EQ(found("4-9"), (std::vector<base::JobId>{{5}, {9}}));
  EXPECT_EQ(found("@a"), (std::vector<base::JobId>{{3}, {9}}));
  EXPECT_EQ(found("last"), (std::vector<base::JobId>{{3}}));
  EXPECT_TRUE(found("@c").empty());
  EXPECT_TRUE(matches(parse_selector("last").value(), {}).empty());
}

TEST(Commands, WantJsonAlsoWhereTheyAreNotUnderstood) {
  EXPECT_TRUE(parse({"ps", "--fly", "--json"}).invocation.global.json);
  EXPECT_TRUE(parse({"ps", "--fly", "-o", "jsonl"}).invocation.global.json);
  EXPECT_TRUE(parse({"--output=json", "fly"}).invocation.global.json);
  EXPECT_FALSE(parse({"ps", "--fly"}).invocation.global.json);
}

TEST(Commands, KnowWhichOneExitsWithTheCodeOfWhatItRuns) {
  EXPECT_TRUE(parse({"run", "--kernel", "k", "--source", "s"}).runs_a_program);
  EXPECT_TRUE(parse({"run", "--fly"}).runs_a_program);
  EXPECT_FALSE(parse({"submit", "--fly"}).runs_a_program);
  EXPECT_FALSE(parse({"ps"}).runs_a_program);
}

TEST(ProgressLine, IsOverwrittenOnATerminalThatCanOnly) {
  using enum ProgressStyle;
  EXPECT_EQ(progress_style("auto", true, "xterm"), live);
  EXPECT_EQ(progress_style("auto", true, "dumb"), none);
  EXPECT_EQ(progress_style("auto", true, nullptr), none);
  EXPECT_EQ(progress_style("auto", false, "xterm"), none);
  EXPECT_EQ(progress_style("plain", true, "xterm"), plain);
  EXPECT_EQ(progress_style("plain", false, "dumb"), plain);
  EXPECT_EQ(progress_style("none", true, "xterm"), none);
}

TEST(ProgressLine, TellsThePaceOnceThereIsOne) {
  using std::chrono::seconds;
  EXPECT_EQ(pace_text(0, 10, seconds(60)), "");
  EXPECT_EQ(pace_text(5, 10, seconds(1)), "") << "too early to say";
  EXPECT_EQ(pace_text(16, 8, seconds(120)), "; 8.0 done/min, ~1m0s left");
  EXPECT_EQ(pace_text(50, 100, seconds(10)), "; 5.0 done/s, ~20.0 s left");
  EXPECT_EQ(pace_text(50, 0, seconds(10)), "; 5.0 done/s");
}

TEST(ProgressLine, StaysOneLineOnANarrowTerminal) {
  EXPECT_EQ(fit_line("5: 1 running of 9", 40), "5: 1 running of 9");
  EXPECT_EQ(fit_line("5: 1 running of 9", 6), "5: 1 r");
  EXPECT_EQ(fit_line("\u00e4\u00f6\u00fc", 2), "\u00e4\u00f6") << "a letter is cut as a whole";
  EXPECT_EQ(fit_line("", 0), "");
}

struct ExitCase {
  base::Error error;
  const char* kind;
  int code;
};

TEST(ExitCodes, FollowTheTableOfTheContract) {
  using base::ErrorCode;
  using base::ErrorKind;
  const auto error = [](ErrorKind kind, ErrorCode code) { return base::Error{kind, code, "", ""}; };
  for (const ExitCase& one : std::vector<ExitCase>{
           {error(ErrorKind::internal, ErrorCode::internal), "internal", 1},
           {error(ErrorKind::invalid, ErrorCode::usage), "usage", 2},
           {error(ErrorKind::invalid, ErrorCode::bad_job_spec), "usage", 2},
           {error(ErrorKind::invalid, ErrorCode::bad_argument), "usage", 2},
           {error(ErrorKind::rejected, ErrorCode::not_found), "not_found", 3},
           {error(ErrorKind::rejected, ErrorCode::already_finished), "conflict", 4},
           {error(ErrorKind::rejected, ErrorCode::version_skew), "conflict", 4},
           {error(ErrorKind::rejected, ErrorCode::denied), "denied", 5},
           {error(ErrorKind::unavailable, ErrorCode::no_node_reachable), "unreachable", 6},
           {error(ErrorKind::unavailable, ErrorCode::shard_unavailable), "unreachable", 6},
           {error(ErrorKind::unknown, ErrorCode::timeout), "unreachable", 6},
           {error(ErrorKind::rejected, ErrorCode::infeasible), "infeasible", 7},
           {error(ErrorKind::overloaded, ErrorCode::overloaded), "overloaded", 9},
           {client::time_is_over("job 1"), "timeout", 124}}) {
    EXPECT_STREQ(client::kind_word(one.error), one.kind);
    EXPECT_EQ(client::exit_code(one.error), one.code) << one.kind;
  }
}

TEST(ExitCodes, TellHowAJobEnded) {
  using protocol::TaskState;
  EXPECT_EQ(client::exit_code(TaskState::succeeded), 0);
  EXPECT_EQ(client::exit_code(TaskState::failed), 10);
  EXPECT_EQ(client::exit_code(TaskState::cancelled), 11);
  EXPECT_EQ(client::exit_code(TaskState::timed_out), 12);
  EXPECT_EQ(client::exit_code(TaskState::lost), 13);
}

TEST(ExitCodes, OfSeveralJobsAreTheWorst) {
  EXPECT_EQ(worst_of({}), 0);
  EXPECT_EQ(worst_of({0, 11}), 11);
  EXPECT_EQ(worst_of({11, 13, 0}), 13);
  EXPECT_EQ(worst_of({13, 12, 11}), 12);
  EXPECT_EQ(worst_of({12, 13, 10}), 10);
}

TEST(ErrorWords, NumberEveryCodeWithFourDigits) {
  EXPECT_EQ(client::code_text(base::ErrorCode::infeasible), "FG2101");
  EXPECT_EQ(client::code_text(base::ErrorCode::usage), "FG1001");
}

TEST(ExitCodes, OfJobsComeWithWhatToTellOfTheWorst) {
  std::vector<protocol::JobSummary> jobs(3);
  jobs[0].job = {3};
  jobs[0].state = protocol::TaskState::cancelled;
  jobs[1].job = {5};
  jobs[1].state = protocol::TaskState::timed_out;
  jobs[2].job = {9};
  jobs[2].state = protocol::TaskState::succeeded;
  const Verdict verdict = verdict_of(jobs);
  EXPECT_EQ(verdict.exit_code, 12);
  ASSERT_TRUE(verdict.error);
  EXPECT_EQ(verdict.error->code, base::ErrorCode::job_timed_out);
  EXPECT_NE(verdict.error->message.find("job 5"), std::string::npos);
  EXPECT_FALSE(verdict_of({jobs[2]}).error);
  EXPECT_EQ(verdict_of({}).exit_code, 0);
}

TEST(ErrorWords, SayWhenAnOutcomeIsUnknown) {
  EXPECT_TRUE(client::to_public({base::ErrorKind::unknown, base::ErrorCode::timeout, "", ""})
                  .outcome_unknown);
  EXPECT_FALSE(client::to_public({base::ErrorKind::unavailable, base::ErrorCode::timeout, "", ""})
                   .outcome_unknown);
}

}  // namespace
}  // namespace fastgpu::cli
