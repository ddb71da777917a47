#include "tests/history/planted_histories.hpp"

#include <algorithm>
#include <stdexcept>

namespace fastgpu::history::testing {
namespace {

constexpr Stamp ms = 1'000'000;

// The jobs of the good history.
constexpr std::uint64_t kernels = 3;    ///< key "a-1": two tasks, values 100 and 101
constexpr std::uint64_t commands = 4;   ///< key "a-2": two tasks; task 1 ran on n2, which died
constexpr std::uint64_t cancelled = 6;  ///< key "b-1": one task is done, the other cancelled
constexpr std::uint64_t unsure = 7;     ///< key "b-2": never answered, and yet it is there
constexpr std::uint64_t stranger = 99;

TaskRecord kernel_record(std::uint32_t task, const std::string& attempt, std::uint64_t value) {
  return {task, "succeeded", attempt, "n1", std::to_string(value)};
}
TaskRecord command_record(std::uint32_t task, const std::string& attempt, const std::string& node) {
  return {task, "succeeded", attempt, node, "left by " + attempt};
}

JobView kernels_view() {
  return {kernels, "a-1", 2, {kernel_record(0, "1.1.1.1", 100), kernel_record(1, "1.1.1.2", 101)}};
}
JobView commands_view() {
  return {
      commands, "a-2", 2, {command_record(0, "1.1.1.3", "n1"), command_record(1, "1.1.1.5", "n3")}};
}
JobView cancelled_view() {
  return {cancelled, "b-1", 2, {kernel_record(0, "2.1.1.1", 500), {1, "cancelled", "", "", ""}}};
}
JobView unsure_view() {
  return {unsure, "b-2", 1, {kernel_record(0, "2.1.1.2", 600)}};
}

/// One execution's lines: it begins, lives, and, if it has a result, ends well.
void add_run(History& history, std::uint64_t job, std::uint32_t task, const std::string& attempt,
             const std::string& node, Stamp from, Stamp to, bool ends) {
  history.push_back(Execution{from, Moment::start, job, task, attempt, node});
  history.push_back(Execution{(from + to) / 2, Moment::alive, job, task, attempt, node});
  history.push_back(Execution{to, ends ? Moment::end : Moment::alive, job, task, attempt, node,
                              ends ? "left by " + attempt : ""});
}

void add_submit(History& history, Stamp at, std::uint64_t op, const std::string& client,
                const std::string& key, Kind kind, std::uint32_t tasks, std::uint64_t value,
                const Return& answer) {
  history.push_back(Invoke{at, op, client, Call::submit, key, kind, tasks, value, 0});
  history.push_back(answer);
}
void add_read(History& history, Stamp at, std::uint64_t op, const std::string& client,
              const JobView& view) {
  history.push_back(Invoke{at, op, client, Call::read, "", Kind::kernel, 0, 0, view.job});
  history.push_back(Return{at + ms, op, Answer::ok, 0, "", view});
}

template <class T>
T& find(History& history, const std::function<bool(const T&)>& wanted) {
  for (Entry& entry : history) {
    T* it = std::get_if<T>(&entry);
    if (it != nullptr && wanted(*it)) {
      return *it;
    }
  }
  throw std::logic_error("the good history has changed: nothing to plant a fault into");
}

Return& answer_to(History& history, std::uint64_t op) {
  return find<Return>(history, [op](const Return& it) { return it.op == op; });
}
NodeSays& said(History& history, const std::string& node, std::uint64_t job) {
  return find<NodeSays>(history,
                        [&](const NodeSays& it) { return it.node == node && it.view.job == job; });
}
void on_all_nodes(History& history, std::uint64_t job,
                  const std::function<void(JobView&)>& change) {
  for (const char* node : {"n1", "n2", "n3"}) {
    change(said(history, node, job).view);
  }
}
void remove_said(History& history, const std::string& node, std::uint64_t job) {
  history.erase(std::remove_if(history.begin(), history.end(),
                               [&](const Entry& entry) {
                                 const auto* it = std::get_if<NodeSays>(&entry);
                                 return it != nullptr && it->view.job == job &&
                                        (node.empty() || it->node == node);
                               }),
                history.end());
}
void everybody_says(History& history, const JobView& view) {
  for (const char* node : {"n1", "n2", "n3"}) {
    history.push_back(NodeSays{900 * ms, node, view});
  }
}

}  // namespace

History good_history() {
  History it;
  add_submit(it, 1 * ms, 1, "a", "a-1", Kind::kernel, 2, 100, {2 * ms, 1, Answer::ok, kernels, ""});
  add_submit(it, 3 * ms, 2, "a", "a-2", Kind::command, 2, 0, {4 * ms, 2, Answer::ok, commands, ""});
  add_submit(it, 3 * ms, 3, "b", "b-1", Kind::kernel, 2, 500,
             {5 * ms, 3, Answer::ok, cancelled, ""});
  // Sent again, as nobody had answered: the same request, so the same job.
  add_submit(it, 6 * ms, 4, "b", "b-1", Kind::kernel, 2, 500,
             {7 * ms, 4, Answer::ok, cancelled, ""});
  add_submit(it, 8 * ms, 5, "b", "b-2", Kind::kernel, 1, 600,
             {900 * ms, 5, Answer::unknown, 0, "timeout"});
  add_submit(it, 8 * ms, 6, "a", "a-3", Kind::kernel, 1, 700,
             {9 * ms, 6, Answer::fail, 0, "overloaded"});
  add_run(it, commands, 0, "1.1.1.3", "n1", 10 * ms, 40 * ms, true);
  add_run(it, commands, 1, "1.1.1.4", "n2", 11 * ms, 50 * ms, false);
  it.push_back(Mark{51 * ms, "kill", "n2"});
  add_run(it, commands, 1, "1.1.1.5", "n3", 60 * ms, 90 * ms, true);
  it.push_back(Invoke{20 * ms, 7, "b", Call::cancel, "", Kind::kernel, 0, 0, cancelled});
  it.push_back(Return{22 * ms, 7, Answer::ok, 0, ""});
  add_read(it, 30 * ms, 8, "a", {kernels, "a-1", 2, {kernel_record(0, "1.1.1.1", 100)}});
  add_read(it, 40 * ms, 9, "b", cancelled_view());
  add_read(it, 70 * ms, 10, "a", kernels_view());
  it.push_back(Invoke{75 * ms, 11, "a", Call::cancel, "", Kind::kernel, 0, 0, kernels});
  it.push_back(Return{76 * ms, 11, Answer::fail, 0, "already_finished"});
  it.push_back(Mark{100 * ms, "healed", ""});
  it.push_back(Mark{890 * ms, "audit", "n1 n2 n3"});
  everybody_says(it, kernels_view());
  everybody_says(it, commands_view());
  everybody_says(it, cancelled_view());
  everybody_says(it, unsure_view());
  return it;
}

namespace {

std::vector<Plant> plants_of_ledgers() {
  return {
      {Check::one_outcome, "an accepted job is gone",
       [](History& it) { remove_said(it, "", commands); }},
      {Check::one_outcome, "one node of three does not know an accepted job",
       [](History& it) { remove_said(it, "n2", kernels); }},
      {Check::one_outcome, "a job that somebody has read is gone, though its submit was unsure",
       [](History& it) {
         add_read(it, 80 * ms, 20, "b", unsure_view());
         remove_said(it, "", unsure);
       }},
      {Check::one_outcome, "two nodes tell of two outcomes of a task",
       [](History& it) { said(it, "n3", kernels).view.ended[1].attempt = "1.1.2.9"; }},
      {Check::one_outcome, "an outcome is changed after it was read",
       [](History& it) {
         on_all_nodes(it, kernels, [](JobView& view) { view.ended[0].attempt = "1.1.2.9"; });
       }},
      {Check::one_outcome, "a task has two records",
       [](History& it) {
         on_all_nodes(it, kernels, [](JobView& view) {
           view.ended.push_back(kernel_record(1, "1.1.2.9", 101));
         });
       }},
      {Check::one_outcome, "a node lacks a record that others have",
       [](History& it) { said(it, "n2", kernels).view.ended.pop_back(); }},
      {Check::one_outcome, "accepted work ends as lost",
       [](History& it) {
         on_all_nodes(it, unsure, [](JobView& view) { view.ended[0].state = "lost"; });
       }},
      {Check::one_outcome, "a task is cancelled that nobody cancelled",
       [](History& it) {
         on_all_nodes(it, unsure, [](JobView& view) {
           view.ended[0] = {0, "cancelled", "", "", ""};
         });
       }},
      {Check::one_outcome, "there are more tasks than there are",
       [](History& it) {
         on_all_nodes(it, kernels, [](JobView& view) {
           view.ended.push_back(kernel_record(2, "1.1.2.9", 102));
         });
       }},
      {Check::no_strangers, "there is a job that nobody submitted",
       [](History& it) {
         everybody_says(it, {stranger, "c-1", 1, {kernel_record(0, "1.1.1.8", 1)}});
       }},
      {Check::no_strangers, "a refused submit has a job",
       [](History& it) {
         everybody_says(it, {stranger, "a-3", 1, {kernel_record(0, "1.1.1.8", 700)}});
       }},
      {Check::no_strangers, "a job has other tasks than were submitted",
       [](History& it) { on_all_nodes(it, unsure, [](JobView& view) { view.tasks = 3; }); }},
      {Check::one_job_per_key, "a repeated request is answered with another job",
       [](History& it) { answer_to(it, 4).job = unsure; }},
      {Check::one_job_per_key, "an unsure request was done twice",
       [](History& it) {
         everybody_says(it, {stranger, "b-2", 1, {kernel_record(0, "1.1.1.8", 600)}});
       }},
      {Check::all_end, "a task has not ended",
       [](History& it) { on_all_nodes(it, unsure, [](JobView& view) { view.ended.clear(); }); }},
  };
}

std::vector<Plant> plants_of_runs() {
  return {
      {Check::right_result, "a kernel's result is another task's",
       [](History& it) {
         on_all_nodes(it, unsure, [](JobView& view) { view.ended[0].content = "601"; });
       }},
      {Check::right_result, "a kernel's result is missing",
       [](History& it) {
         on_all_nodes(it, unsure, [](JobView& view) { view.ended[0].content.clear(); });
       }},
      {Check::right_result, "the result of a superseded attempt is recorded under the new one",
       [](History& it) {
         on_all_nodes(it, commands,
                      [](JobView& view) { view.ended[1].content = "left by 1.1.1.4"; });
       }},
      {Check::right_result, "the result of an attempt that never came to its end is recorded",
       [](History& it) {
         on_all_nodes(it, commands,
                      [](JobView& view) { view.ended[1] = command_record(1, "1.1.1.4", "n2"); });
       }},
      {Check::right_result, "a command is recorded that never ran",
       [](History& it) {
         on_all_nodes(it, commands,
                      [](JobView& view) { view.ended[1] = command_record(1, "1.1.1.7", "n2"); });
       }},
      {Check::right_result, "a command is recorded on another node than it ran on",
       [](History& it) {
         on_all_nodes(it, commands, [](JobView& view) { view.ended[0].node = "n3"; });
       }},
      {Check::no_overlap, "a successor begins while the former still lives",
       [](History& it) {
         it.push_back(Execution{61 * ms, Moment::alive, commands, 1, "1.1.1.4", "n2"});
       }},
      {Check::no_overlap, "a successor begins and ends within the life of the former",
       [](History& it) {
         it.push_back(Execution{95 * ms, Moment::alive, commands, 1, "1.1.1.4", "n2"});
       }},
      {Check::no_overlap, "the third execution meets the first, not the second",
       [](History& it) {
         it.push_back(Execution{120 * ms, Moment::alive, commands, 0, "1.1.1.3", "n1"});
         add_run(it, commands, 0, "1.1.2.1", "n2", 50 * ms, 55 * ms, false);
         add_run(it, commands, 0, "1.1.2.2", "n3", 110 * ms, 115 * ms, false);
       }},
  };
}

std::vector<Plant> plants_of_time() {
  return {
      {Check::no_undoing, "a cancel of what had ended is confirmed",
       [](History& it) {
         answer_to(it, 11) = {76 * ms, 11, Answer::ok, 0, ""};
       }},
      {Check::no_undoing, "something is cancelled before anybody asks for it",
       [](History& it) {
         find<Invoke>(it, [](const Invoke& call) { return call.op == 7; }).at = 50 * ms;
         answer_to(it, 7) = {51 * ms, 7, Answer::unknown, 0, "timeout"};
       }},
      {Check::fresh_reads, "an accepted job is not found",
       [](History& it) {
         it.push_back(Invoke{12 * ms, 21, "b", Call::read, "", Kind::kernel, 0, 0, commands});
         it.push_back(Return{13 * ms, 21, Answer::fail, 0, "not_found"});
       }},
      {Check::fresh_reads, "a session sees an ended task live again",
       [](History& it) {
         add_read(it, 80 * ms, 22, "a", {kernels, "a-1", 2, {}});
       }},
      {Check::fresh_reads, "a client sees less than another one was told before it asked",
       [](History& it) {
         add_read(it, 80 * ms, 23, "b", {kernels, "a-1", 2, {kernel_record(0, "1.1.1.1", 100)}});
       }},
      {Check::fresh_reads, "another task is told instead of the known one",
       [](History& it) {
         add_read(it, 35 * ms, 24, "b", {kernels, "a-1", 2, {kernel_record(1, "1.1.1.2", 101)}});
       }},
      {Check::fresh_reads, "a job lives after its cancel was confirmed",
       [](History& it) {
         add_read(it, 25 * ms, 25, "a", {cancelled, "b-1", 2, {kernel_record(0, "2.1.1.1", 500)}});
       }},
  };
}

}  // namespace

std::vector<Plant> all_plants() {
  std::vector<Plant> all = plants_of_ledgers();
  for (auto more : {plants_of_runs(), plants_of_time()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::vector<NearMiss> all_near_misses() {
  return {
      {"an unsure submit that became nothing", [](History& it) { remove_said(it, "", unsure); }},
      {"an answer that was never written down, as its client was killed",
       [](History& it) {
         it.push_back(Invoke{12 * ms, 30, "b", Call::submit, "b-9", Kind::kernel, 1, 0, 0});
       }},
      {"a refused request that is accepted at its second try",
       [](History& it) {
         add_submit(it, 20 * ms, 31, "a", "a-3", Kind::kernel, 1, 700,
                    {21 * ms, 31, Answer::ok, stranger, ""});
         everybody_says(it, {stranger, "a-3", 1, {kernel_record(0, "1.1.1.8", 700)}});
       }},
      {"a read that was asked before another one ended, and is older than that",
       [](History& it) {
         it.push_back(Invoke{69 * ms, 32, "b", Call::read, "", Kind::kernel, 0, 0, kernels});
         it.push_back(Return{80 * ms, 32, Answer::ok, 0, "", {kernels, "a-1", 2, {}}});
         // Op 8 had told of one task by then, so that one must be there.
         answer_to(it, 32).view.ended = {kernel_record(0, "1.1.1.1", 100)};
       }},
      {"a job that is not found while its submit is on its way",
       [](History& it) {
         it.push_back(Invoke{3 * ms, 33, "b", Call::read, "", Kind::kernel, 0, 0, commands});
         it.push_back(Return{4 * ms, 33, Answer::fail, 0, "not_found"});
       }},
      {"a successor that begins at the stamp of the former's last sign of life",
       [](History& it) {
         it.push_back(Execution{60 * ms, Moment::alive, commands, 1, "1.1.1.4", "n2"});
       }},
      {"two tasks of one job at once",
       [](History& it) {
         it.push_back(Execution{100 * ms, Moment::alive, commands, 0, "1.1.1.3", "n1"});
       }},
      {"an execution whose result is refused",
       [](History& it) {
         it.push_back(
             Execution{52 * ms, Moment::end, commands, 1, "1.1.1.4", "n2", "left by 1.1.1.4"});
       }},
      {"a cancel whose fate is unknown, of a job that ended well",
       [](History& it) {
         it.push_back(Invoke{15 * ms, 34, "b", Call::cancel, "", Kind::kernel, 0, 0, kernels});
         it.push_back(Return{17 * ms, 34, Answer::unknown, 0, "timeout"});
       }},
      {"a cancel whose fate is unknown, and which worked",
       [](History& it) {
         it.push_back(Invoke{15 * ms, 35, "b", Call::cancel, "", Kind::kernel, 0, 0, unsure});
         it.push_back(Return{17 * ms, 35, Answer::unknown, 0, "timeout"});
         on_all_nodes(it, unsure, [](JobView& view) {
           view.ended[0] = {0, "cancelled", "", "", ""};
         });
       }},
      {"lines in another order than they happened",
       [](History& it) { std::reverse(it.begin(), it.end()); }},
  };
}

}  // namespace fastgpu::history::testing
