// fastgpu: the command line of users and operators. Asks any node of a cluster.

#include <string>
#include <vector>

#include "node/cli/command_table.hpp"

int main(int argc, char** argv) {
  return fastgpu::cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
