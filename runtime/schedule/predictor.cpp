#include "runtime/schedule/predictor.hpp"

#include <algorithm>
#include <cmath>

namespace fastgpu::schedule {

void Predictor::ran(const base::ObjectHash& signature, protocol::DeviceKind kind,
                    std::uint32_t tasks, std::int64_t run_ns) {
  if (tasks == 0)
    return;
  const Key key{signature, kind};
  const auto [place, fresh] = known_.try_emplace(key);
  History& history = place->second;
  const double run = static_cast<double>(std::max<std::int64_t>(run_ns, 1));
  if (fresh) {
    history.mean_ns = run;
    history.deviation_ns = run / 2;
  } else {
    const double weight = 1.0 - std::pow(0.8, std::min<double>(tasks, 16));
    history.deviation_ns += weight * (std::abs(run - history.mean_ns) - history.deviation_ns);
    history.mean_ns += weight * (run - history.mean_ns);
    by_use_.erase(history.used);
  }
  history.used = ++uses_;
  by_use_.emplace(history.used, key);
  if (known_.size() > known_max) {
    known_.erase(by_use_.begin()->second);
    by_use_.erase(by_use_.begin());
  }
}

Prediction Predictor::predict(const base::ObjectHash& signature, protocol::DeviceKind kind) const {
  const auto found = known_.find({signature, kind});
  if (found == known_.end())
    return kind == protocol::DeviceKind::null ? Prediction{guess_null_ns, guess_ns, false}
                                              : Prediction{guess_ns, guess_p90_ns, false};
  const History& history = found->second;
  return {std::max<std::int64_t>(1, std::llround(history.mean_ns)),
          std::max<std::int64_t>(1, std::llround(history.mean_ns + 1.6 * history.deviation_ns)),
          true};
}

}  // namespace fastgpu::schedule
