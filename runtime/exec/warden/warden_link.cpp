#include "runtime/exec/warden/warden_link.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "runtime/base/check.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::size_t files_max = 2;
constexpr std::size_t answer_bytes_max = 8192;

}  // namespace

void WardenLink::open(FileDescriptor socket) {
  close();
  socket_ = std::move(socket);
}

void WardenLink::close() {
  socket_.reset();
  unsent_.clear();
  leases_.clear();
}

void WardenLink::send(const NodeMessage& message, std::vector<FileDescriptor> files) {
  Packet packet{encode(message), std::move(files)};
  if (has_unsent() || !try_send(packet))
    unsent_.push_back(std::move(packet));
}

void WardenLink::send_lease(const LeaseMessage& message) {
  if (has_unsent() || !try_send({encode(message), {}}))
    leases_[message.token] = message;
}

void WardenLink::flush() {
  while (!unsent_.empty() && try_send(unsent_.front()))
    unsent_.pop_front();
  while (unsent_.empty() && !leases_.empty() && try_send({encode(leases_.begin()->second), {}}))
    leases_.erase(leases_.begin());
}

bool WardenLink::try_send(const Packet& packet) {
  FASTGPU_CHECK(packet.files.size() <= files_max, "a command has two streams");
  iovec piece{const_cast<std::uint8_t*>(packet.bytes.data()), packet.bytes.size()};
  alignas(cmsghdr) char room[CMSG_SPACE(files_max * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!packet.files.empty()) {
    message.msg_control = room;
    message.msg_controllen = CMSG_SPACE(packet.files.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(packet.files.size() * sizeof(int));
    for (std::size_t i = 0; i < packet.files.size(); ++i) {
      const int file = packet.files[i].get();
      std::memcpy(CMSG_DATA(header) + i * sizeof file, &file, sizeof file);
    }
  }
  if (sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
    return true;
  // Too many descriptors on their way count as a full socket: they arrive.
  return errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS && errno != ENOBUFS;
}

std::optional<WardenMessage> WardenLink::receive(bool& gone) {
  std::uint8_t packet[answer_bytes_max];
  const ssize_t got = recv(socket_.get(), packet, sizeof packet, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return std::nullopt;
  auto message = got > 0 ? decode_warden_message({packet, static_cast<std::size_t>(got)})
                         : std::optional<WardenMessage>();
  gone = !message;
  return message;
}

}  // namespace fastgpu::exec
