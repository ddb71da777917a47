/// Melts a crystal of argon on a FastGPU cluster: molecular dynamics with velocity Verlet. At each
/// time step one job computes the forces, as an array of tasks over blocks of atoms; this program
/// moves the atoms. It prints the energies, whose sum nature and the method conserve, and writes
/// the atoms' ways in the XYZ format.
///
///   nbody --server 127.0.0.1:7601 [--steps 100] [--tasks 6] [--xyz argon.xyz]

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "examples/nbody/atoms.hpp"
#include "examples/support/session.hpp"

namespace {

// Liquid argon near its triple point, after a start as a crystal of twice the temperature: half of
// that energy goes into the melting.
constexpr std::size_t cells = 4;  // 256 atoms
constexpr double density = 0.8442;
constexpr double temperature = 1.456;
constexpr double time_step = 0.004;

struct Options {
  examples::SessionOptions session{.servers = {}, .kernel_file = "examples/nbody/argon.cu"};
  std::size_t steps{100};
  std::size_t tasks{6};
  std::string xyz{"argon.xyz"};
};

/// One job: the forces on all atoms where they are now, and their potential energy.
void compute_forces(examples::Session& session, nbody::Atoms& atoms, std::size_t tasks) {
  const std::size_t block_atoms = (atoms.count() + tasks - 1) / tasks;
  const auto spec = session.job("forces")
                        .grid(static_cast<std::uint32_t>((block_atoms + 63) / 64))
                        .block(64)
                        .tasks(static_cast<std::uint32_t>(tasks))
                        .in(atoms.positions)
                        .out(block_atoms * 4 * sizeof(double))
                        .arg_text(fastgpu::Scalar::i32, "{}")
                        .arg(static_cast<std::int32_t>(block_atoms))
                        .arg(static_cast<std::int32_t>(atoms.count()))
                        .arg(atoms.box);
  atoms.forces.clear();
  atoms.potential = 0;
  for (const auto& outputs : session.run(spec)) {
    const auto block = outputs.at(0).as<double>();
    for (std::size_t at = 0; at < block.size() && atoms.forces.size() < 3 * atoms.count();
         at += 4) {
      atoms.forces.insert(atoms.forces.end(), &block[at], &block[at] + 3);
      atoms.potential += block[at + 3];
    }
  }
}

void simulate(const Options& options) {
  examples::Session session(options.session);
  nbody::Atoms atoms = nbody::crystal(cells, density, temperature);
  compute_forces(session, atoms, options.tasks);
  const double energy_at_start = atoms.kinetic() + atoms.potential;
  double drift = 0;
  std::string frames;
  std::printf("%zu atoms in a box of side %.4f, time step %.4f\n", atoms.count(), atoms.box,
              time_step);
  std::printf("%-5s %-11s %-10s %-10s %-11s %-9s %s\n", "STEP", "TEMPERATURE", "KINETIC",
              "POTENTIAL", "TOTAL", "DRIFT", "MOMENTUM");
  const std::size_t line_every = options.steps < 10 ? 1 : options.steps / 10;
  for (std::size_t step = 0; step <= options.steps; ++step) {
    if (step > 0) {
      atoms.kick_and_drift(time_step);
      compute_forces(session, atoms, options.tasks);
      atoms.kick(time_step);
    }
    const double energy = atoms.kinetic() + atoms.potential;
    drift = std::max(drift, std::abs(energy / energy_at_start - 1));
    if (step % line_every == 0 || step == options.steps) {
      std::printf("%-5zu %-11.4f %-10.4f %-10.4f %-11.4f %-9.1e %.1e\n", step, atoms.temperature(),
                  atoms.kinetic(), atoms.potential, energy, energy / energy_at_start - 1,
                  atoms.momentum());
      std::fflush(stdout);
      frames += atoms.frame("step " + std::to_string(step));
    }
  }
  examples::write_file(options.xyz, frames);
  session.print_places();
  std::printf("\nlargest drift of the energy in %zu steps: %.1e of it\n", options.steps, drift);
  std::printf("wrote a frame for each line to %s\n", options.xyz.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Melts a crystal of argon on a FastGPU cluster"};
  options.session.add_to(app);
  app.add_option("--steps", options.steps, "time steps")->check(CLI::Range(1, 100000));
  app.add_option("--tasks", options.tasks, "blocks of atoms")->check(CLI::Range(1, 256));
  app.add_option("--xyz", options.xyz, "the file for the atoms' ways");
  CLI11_PARSE(app, argc, argv);
  return examples::report_failure("nbody", [&] { simulate(options); });
}
