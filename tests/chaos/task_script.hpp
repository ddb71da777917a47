#pragma once

/// The command that writes down when it lives: `python3 -c SCRIPT PORT MILLISECONDS [stubborn]`. It
/// travels in the job, since a command sees no program below /tmp. It connects to the recorder on
/// the loopback, says that it has begun, every few milliseconds that it lives, and, once it has
/// written its result, that it has ended; all with the time at which it says so, taken before. A
/// stubborn one ends for no SIGTERM. Its result names this very execution.

namespace fastgpu::chaos {

inline constexpr const char* task_script = R"(
import json, os, signal, socket, sys, time

def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

port, milliseconds = int(sys.argv[1]), int(sys.argv[2])
if "stubborn" in sys.argv[3:]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
until = now() + milliseconds * 1_000_000
me = {
    "job": int(os.environ["FASTGPU_JOB_ID"]),
    "task": int(os.environ["FASTGPU_TASK_ID"]),
    "attempt": os.environ["FASTGPU_ATTEMPT"],
    "node": os.environ["FASTGPU_NODE"],
}
recorder = socket.create_connection(("127.0.0.1", port))

def tell(what, **more):
    line = json.dumps({"at": now(), "what": what, **me, **more}) + "\n"
    recorder.sendall(line.encode())

tell("start")
content = f"{me['attempt']}@{me['node']}#{now()}"
while (left := until - now()) > 0:
    time.sleep(min(left / 1e9, 0.025))
    tell("alive")
with open("result", "w") as file:
    file.write(content)
tell("end", content=content)
)";

}  // namespace fastgpu::chaos
