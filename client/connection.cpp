#include "client/connection.hpp"

#include <unistd.h>

#include <caf/all.hpp>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "actors/client_actor.hpp"
#include "actors/link_actor.hpp"
#include "runtime/link/zmq_link.hpp"

namespace fastgpu::client {
namespace {

/// How much longer than a call's own deadline its caller waits for the actor to say so.
constexpr std::chrono::seconds grace{5};

base::Time now() {
  return base::Time{std::chrono::steady_clock::now().time_since_epoch()};
}

base::Time to_base(Time time) {
  return base::Time{time.time_since_epoch()};
}

std::uint64_t random_bits() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device() ^
         (static_cast<std::uint64_t>(::getpid()) << 16);
}

/// What was sent may have been done, or may be on its way yet.
base::Error closed() {
  return {base::ErrorKind::unknown, base::ErrorCode::timeout,
          "the connection was closed by this program before an answer came",
          "look with fastgpu ps before doing it again"};
}

/// The callers that wait, by call. Outlives the actor, whose thread fulfils them.
class Waiting {
 public:
  using Done = std::function<void(Reply)>;

  base::CallId add(Done done) {
    const std::lock_guard lock(mutex_);
    const base::CallId call{++last_};
    open_.emplace(call, std::move(done));
    return call;
  }
  void done(base::CallId call, Reply reply) {
    std::unique_lock lock(mutex_);
    auto found = open_.extract(call);
    lock.unlock();
    if (!found.empty()) {
      found.mapped()(std::move(reply));
    }
  }
  void end_all() {
    std::unique_lock lock(mutex_);
    const std::map<base::CallId, Done> all = std::exchange(open_, {});
    lock.unlock();
    for (const auto& [call, done] : all) {
      done(closed());
    }
  }

 private:
  std::mutex mutex_;
  std::uint64_t last_{0};
  std::map<base::CallId, Done> open_;
};

caf::actor_system_config& quiet(caf::actor_system_config& config) {
  config.set("scheduler.max-threads", 1);                // one actor: more threads would only idle
  config.set("scheduler.policy", caf::atom("sharing"));  // sleeps until there is work
  return config;
}

}  // namespace

struct Connection::Impl {
  explicit Impl(const ConnectionOptions& options)
      : waiting(std::make_shared<Waiting>()), system(quiet(config)) {
    link::LinkOptions link_options;
    link_options.identity.incarnation = {random_bits() | 1};
    link = std::make_shared<link::ZmqLink>(link_options, now);
    auto context = std::make_shared<actors::NodeContext>();
    context->self.name = options.program;
    context->clock = now;
    context->wall_clock = [] { return base::WallTimeMs{0}; };
    actor = system.spawn<actors::ClientActor>(
        context, link, link_options.identity,
        session::ClientOptions{options.servers, options.program, random_bits()},
        [waits = waiting](const session::CallDone& done) { waits->done(done.call, done.reply); });
    link->start(actors::LinkActor::sink_to(actor));
  }
  ~Impl() {
    link->stop();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    actor = nullptr;
    system.await_all_actors_done();
    waiting->end_all();
  }

  template <class Event>
  void begin(Event event, Waiting::Done done) {
    event.call = waiting->add(std::move(done));
    caf::anon_send(actor, std::move(event));
  }
  template <class Event>
  std::future<Reply> begin(Event event) {
    auto promise = std::make_shared<std::promise<Reply>>();
    std::future<Reply> future = promise->get_future();
    begin(std::move(event), [promise](Reply reply) { promise->set_value(std::move(reply)); });
    return future;
  }

  std::shared_ptr<Waiting> waiting;
  caf::actor_system_config config;
  caf::actor_system system;
  std::shared_ptr<link::ZmqLink> link;
  caf::actor actor;
};

base::Result<std::shared_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  if (options.servers.empty()) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage, "no server is named",
                       "give the address of any node: --server 127.0.0.1:7600"};
  }
  return std::shared_ptr<Connection>(new Connection(std::make_unique<Impl>(options)));
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

std::future<Reply> Connection::start(protocol::ClientRequest request, Time deadline) {
  return impl_->begin(session::StartCall{{}, std::move(request), to_base(deadline)});
}

void Connection::start(protocol::ClientRequest request, Time deadline,
                       std::function<void(Reply)> done) {
  impl_->begin(session::StartCall{{}, std::move(request), to_base(deadline)}, std::move(done));
}

std::future<Reply> Connection::start_upload(const base::ObjectHash& hash, base::Bytes data,
                                            Time deadline) {
  return impl_->begin(session::StartUpload{{}, hash, std::move(data), to_base(deadline)});
}

std::future<Reply> Connection::start_download(const protocol::ObjectRef& object, Time deadline) {
  return impl_->begin(session::StartDownload{{}, object, to_base(deadline)});
}

Reply Connection::ask(protocol::ClientRequest request, Time deadline) {
  return wait(start(std::move(request), deadline), deadline);
}

Reply Connection::wait(std::future<Reply> future, Time deadline) {
  if (future.wait_until(deadline + grace) != std::future_status::ready) {
    return base::Error{base::ErrorKind::internal, base::ErrorCode::internal,
                       "the client did not end a call by its deadline", "report this"};
  }
  return future.get();
}

}  // namespace fastgpu::client
