// Heat flows through a square plate whose edges are kept at zero: one task moves one band of the
// plate's rows on by several time steps. Each step is the five-point formula, forward in time:
//
//   next = now + ratio * (up + down + left + right - 4 * now),   ratio = dt / h^2 <= 1/4
//
// A cell needs its neighbours, and those of the first and the last row belong to other tasks. So
// the band comes with a halo of as many rows on each side as there are steps: at each step the
// outermost rows that are still right lack a neighbour and are given up, and after the last one
// exactly the band is left. A halo row costs little beside a job, so one job is worth many steps.

// One block works on one band, because a step may begin only when the one before it is complete,
// and only the threads of one block can wait for each other.
//
// held[rows + 2 * steps][side]: the band with its halos. `spare` is room for two such fields,
// band[rows][side] the result. Row 0 and row side - 1 of the plate are its edges; halo rows beyond
// them are never looked at.
__global__ void advance(const double* held, double* spare, double* band, int task, int rows,
                        int side, int steps, double ratio) {
  const int held_rows = rows + 2 * steps;
  const int first_row = 1 + task * rows - steps;  // of what is held, in the plate
  double* now = spare;
  double* next = spare + held_rows * side;
  for (int at = threadIdx.x; at < held_rows * side; at += blockDim.x) {
    now[at] = next[at] = held[at];
  }
  __syncthreads();

  for (int step = 1; step <= steps; ++step) {
    const int begin = step * side;
    const int end = (held_rows - step) * side;
    for (int at = begin + threadIdx.x; at < end; at += blockDim.x) {
      const int row = first_row + at / side;
      const int column = at % side;
      // What is at the edge or beyond it stays as it came, in both fields.
      if (row > 0 && row < side - 1 && column > 0 && column < side - 1) {
        next[at] = now[at] + ratio * (now[at - side] + now[at + side] + now[at - 1] + now[at + 1] -
                                      4.0 * now[at]);
      }
    }
    __syncthreads();
    double* previous = now;
    now = next;
    next = previous;
  }

  for (int at = threadIdx.x; at < rows * side; at += blockDim.x) {
    band[at] = now[steps * side + at];
  }
}
