#include "runtime/base/log_record.hpp"

namespace fastgpu::base {

const char* to_word(LogStream stream) {
  switch (stream) {
    case LogStream::output:
      return "output";
    case LogStream::error_output:
      return "error_output";
    case LogStream::started:
      return "started";
    case LogStream::ended:
      return "ended";
    case LogStream::notice:
      return "notice";
  }
  return "unknown";
}

}  // namespace fastgpu::base
