#include "runtime/exec/warden/command_environment.hpp"

#include <algorithm>

#include "runtime/exec/warden/command_runner.hpp"

namespace fastgpu::exec {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ",") + word;
  return text;
}

bool has(const Environment& env, const std::string& name) {
  return std::any_of(env.begin(), env.end(), [&](const auto& one) { return one.first == name; });
}

void add_gang(Environment& env, const GangPlace& gang) {
  env.emplace_back("RANK", std::to_string(gang.rank));
  env.emplace_back("WORLD_SIZE", std::to_string(gang.world_size));
  env.emplace_back("LOCAL_RANK", std::to_string(gang.local_rank));
  env.emplace_back("MASTER_ADDR", gang.master_address);
  env.emplace_back("MASTER_PORT", std::to_string(gang.master_port));
}

}  // namespace

Environment command_environment(const CommandFacts& facts, const Environment& user) {
  Environment ours{
      {"FASTGPU_JOB_ID", std::to_string(facts.job.value)},
      {"FASTGPU_TASK_ID", std::to_string(facts.task)},
      {"FASTGPU_TASK_COUNT", std::to_string(facts.task_count)},
      {"FASTGPU_ATTEMPT", base::to_string(facts.attempt)},
      {"FASTGPU_NODE", facts.node},
      {"FASTGPU_DEVICES", joined(facts.device_uuids)},
      {"FASTGPU_ERROR_FILE", facts.folder + "/" + command_error_file},
      {"CUDA_VISIBLE_DEVICES", joined(facts.gpu_uuids)},
      {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
  };
  if (facts.gang)
    add_gang(ours, *facts.gang);
  Environment env;
  for (const auto& variable : user)
    if (!variable.first.starts_with("FASTGPU_") && !has(ours, variable.first))
      env.push_back(variable);
  // The driver's own cache of compiled code: in HOME by default, which a command may not own.
  if (!facts.gpu_uuids.empty() && !has(env, "CUDA_CACHE_PATH"))
    env.emplace_back("CUDA_CACHE_PATH", facts.folder + "/.cuda-cache");
  env.insert(env.end(), ours.begin(), ours.end());
  return env;
}

void add_default_variables(Environment& env, const std::string& folder, const std::string& user) {
  const std::pair<const char*, std::string> defaults[] = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", folder},
      {"LANG", "C.UTF-8"},
      {"USER", user},
      {"LOGNAME", user},
  };
  for (const auto& [name, value] : defaults)
    if (!has(env, name))
      env.emplace_back(name, value);
}

}  // namespace fastgpu::exec
