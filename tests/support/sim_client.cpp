#include "tests/support/sim_client.hpp"

#include <optional>
#include <utility>

#include "actors/client_actor.hpp"
#include "actors/link_actor.hpp"

namespace fastgpu::testing {

struct SimClient::State {
  actors::ContextPtr context;
  std::shared_ptr<link::SimLink> link;
  caf::actor actor;
  base::CallId last_call;
  std::map<base::CallId, Callback> waiting;

  void done(const session::CallDone& call) {
    auto found = waiting.extract(call.call);
    if (!found.empty()) {
      found.mapped()(call.reply);
    }
  }
};

SimClient::SimClient(SimWorld& world) : world_(world), state_(std::make_shared<State>()) {
  const link::LinkIdentity identity{{}, {}, {world.random().next()}};
  state_->link = world.client_link(identity);
  state_->context = world.client_context();
  session::ClientOptions options;
  options.program = "simulated user";
  options.random_seed = world.random().next();
  for (std::uint32_t i = 0; i < world.node_count(); ++i) {
    options.servers.push_back(world.info(i).address);
  }
  state_->actor = world.system().spawn<actors::ClientActor>(
      state_->context, state_->link, identity, options,
      [state = std::weak_ptr<State>(state_)](const session::CallDone& call) {
        if (const auto alive = state.lock()) {
          alive->done(call);
        }
      });
  state_->link->start(actors::LinkActor::sink_to(state_->actor));
  caf::anon_send(state_->actor, actors::Begin{});
}

SimClient::~SimClient() {
  state_->context->dead = true;
  state_->link->stop();
  caf::anon_send_exit(state_->actor, caf::exit_reason::kill);
}

void SimClient::call(protocol::ClientRequest request, base::Duration limit, Callback done) {
  const base::CallId call{++state_->last_call.value};
  state_->waiting.emplace(call, std::move(done));
  caf::anon_send(state_->actor, session::StartCall{call, std::move(request), world_.now() + limit});
}

void SimClient::submit(const protocol::JobSpec& spec, base::Duration limit, Callback done) {
  call(protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}}, limit,
       std::move(done));
}

protocol::ClientReply SimClient::ask(protocol::ClientRequest request, base::Duration limit) {
  std::optional<protocol::ClientReply> answer;
  call(std::move(request), limit,
       [&answer](const protocol::ClientReply& reply) { answer = reply; });
  const bool answered =
      world_.run_until([&answer] { return answer.has_value(); }, limit + std::chrono::seconds{1});
  FASTGPU_CHECK(answered, "every call of a client ends by its deadline");
  return *answer;
}

protocol::JobSpec simple_job(std::uint32_t tasks, const std::string& source) {
  protocol::JobSpec spec;
  spec.name = "simulated";
  spec.kernel.source = base::Bytes::copy_of(std::string_view(source));
  spec.kernel.name = "ok";
  spec.kernel.arguments.push_back(protocol::ScalarArgument{protocol::ScalarType::u32, "{}"});
  protocol::BufferArgument out;
  out.use = protocol::BufferUse::out;
  out.name = "out";
  out.size_bytes = sizeof(std::uint32_t);
  spec.kernel.arguments.push_back(out);
  spec.tasks = tasks;
  spec.request.memory_bytes = sizeof(std::uint32_t);
  return spec;
}

}  // namespace fastgpu::testing
