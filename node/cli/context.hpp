#pragma once

/// What every verb needs: the connection, the time limits, and how to print. One for each run of
/// the program, on its only thread. Data goes to stdout, all else to stderr.

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "node/cli/invocation.hpp"
#include "node/cli/text/render.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::cli {

enum class Format { table, json, jsonl, id };

class Context {
 public:
  /// Of a command that exits with the code of what it runs, a failure of FastGPU itself is told
  /// apart: 200 is added to the code, except to 124.
  explicit Context(const GlobalFlags& flags, bool runs_a_program = false)
      : flags_(flags), runs_a_program_(runs_a_program) {}

  Format format() const;
  bool wants_documents() const { return format() == Format::json || format() == Format::jsonl; }
  /// The addresses to ask, as typed or found.
  base::Result<std::vector<std::string>> servers() const;
  /// The file with the key to connect with.
  std::filesystem::path credentials() const;
  /// Connects to the first server that answers and learns the nodes' names.
  base::Result<std::shared_ptr<client::Connection>> connect();
  /// The cluster as `connect` saw it.
  const protocol::ClusterStatus& cluster() const { return cluster_; }
  const Names& names() const { return names_; }
  /// Asks for the cluster again: a node or device may be new.
  void refresh(client::Connection& connection);

  /// Of a question that nodes answer at once.
  client::Time deadline() const;
  /// `--timeout`, counted from the start of the program; nothing where it was not given.
  base::Result<std::optional<client::Time>> limit() const;
  /// Call it before asking for what will be printed: its age counts from here.
  void asking() { asked_ = std::chrono::steady_clock::now(); }
  Stamp stamp() const;
  /// The node that answers this program; empty before `connect`.
  std::string source() const { return names_.of(cluster_.source); }

  void print(const std::string& text) const;
  /// The document as `--output` wants it; items one a line for jsonl.
  void print(const Json& document) const;
  void tell(const std::string& line) const;
  /// Tells the error, as a document too where documents are wanted; the exit code.
  int fail(const base::Error& error) const;
  /// Tells it on stderr only; the exit code.
  int tell_error(const base::Error& error) const;

 private:
  base::Error in_the_time_given(const base::Error& error) const;

  GlobalFlags flags_;
  bool runs_a_program_;
  client::Time start_{std::chrono::steady_clock::now()};
  client::Time asked_{start_};
  protocol::ClusterStatus cluster_;
  Names names_;
};

/// The address in a node's folder: node.toml, [cluster] listen.
base::Result<std::string> address_in(const std::string& folder);

}  // namespace fastgpu::cli
