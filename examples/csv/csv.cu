// Sums over the rows of a table, for one shard of the rows: what a table's averages by group, a
// linear and a logistic regression need, and all that they need. So the rows stay where the tasks
// are, and only a few sums travel back. One task is one block, and a thread computes one of the
// sums.
//
// A row is six numbers: its group, four measures, and a yes (1) or no (0). Task t has the shard of
// the rows from t * shard_rows on; the last shard may be smaller.

constexpr int columns = 6;
constexpr int measures = 4;  // in the columns 1 to 4
constexpr int answer_at = 5;
constexpr int predictors = 3;  // the first measures; the linear regression finds the last from them

__device__ int rows_here(int task, int shard_rows, int row_total) {
  const int left = row_total - task * shard_rows;
  return left < shard_rows ? left : shard_rows;
}

// summary[groups][measures][3]: how many rows, their mean, and the sum of squares of what they are
// off the mean. That last sum is small and exact where the sum of the squares themselves would be
// large and lose digits. Block: (measures, groups).
__global__ void summarise(const double* rows, double* summary, int task, int shard_rows,
                          int row_total) {
  const int column = 1 + threadIdx.x;
  const int group = threadIdx.y;
  const int count = rows_here(task, shard_rows, row_total);
  int mine = 0;
  double sum = 0.0;
  for (int r = 0; r < count; ++r) {
    if (rows[r * columns] == group) {
      ++mine;
      sum += rows[r * columns + column];
    }
  }
  const double mean = mine == 0 ? 0.0 : sum / mine;
  double squares = 0.0;
  for (int r = 0; r < count; ++r) {
    if (rows[r * columns] == group) {
      const double off = rows[r * columns + column] - mean;
      squares += off * off;
    }
  }
  double* mine_out = summary + (group * measures + threadIdx.x) * 3;
  mine_out[0] = mine;
  mine_out[1] = mean;
  mine_out[2] = squares;
}

// x[0] is 1, x[i] the measure i, standardised: scale[measures][2] holds the means and the
// deviations. With columns of like size the equations to solve are well conditioned.
__device__ double x(const double* row, const double* scale, int i) {
  return i == 0 ? 1.0 : (row[i] - scale[2 * (i - 1)]) / scale[2 * (i - 1) + 1];
}

// Normal equations of the last measure by the first ones: sums[i][j] of x[i] x[j], of which the
// last column, j = 4, is the right side. Block: (predictors + 2, predictors + 1).
__global__ void linear_sums(const double* rows, const double* scale, double* sums, int task,
                            int shard_rows, int row_total) {
  const int i = threadIdx.y;
  const int j = threadIdx.x;
  double sum = 0.0;
  for (int r = 0; r < rows_here(task, shard_rows, row_total); ++r) {
    sum += x(rows + r * columns, scale, i) * x(rows + r * columns, scale, j);
  }
  sums[i * (predictors + 2) + j] = sum;
}

// A Newton step of the answer by all measures: with p the chance of a yes under `weights`,
// sums[i][j] of p (1 - p) x[i] x[j], and in the last column, j = 5, of (answer - p) x[i]. Behind
// them the logarithm of the likelihood of all answers, and how many are likelier than not.
// Block: (measures + 2, measures + 1). Each thread computes p anew: less work than to share it.
__global__ void logistic_sums(const double* rows, const double* scale, const double* weights,
                              double* sums, int task, int shard_rows, int row_total) {
  const int i = threadIdx.y;
  const int j = threadIdx.x;
  double sum = 0.0;
  double log_likelihood = 0.0;
  int right = 0;
  for (int r = 0; r < rows_here(task, shard_rows, row_total); ++r) {
    const double* row = rows + r * columns;
    double score = 0.0;
    for (int k = 0; k <= measures; ++k) {
      score += weights[k] * x(row, scale, k);
    }
    const double chance = 1.0 / (1.0 + exp(-score));
    const double rest =
        j <= measures ? chance * (1.0 - chance) * x(row, scale, j) : row[answer_at] - chance;
    sum += rest * x(row, scale, i);
    log_likelihood -= log(1.0 + exp(row[answer_at] == 1.0 ? -score : score));
    right += (score > 0.0) == (row[answer_at] == 1.0) ? 1 : 0;
  }
  sums[i * (measures + 2) + j] = sum;
  if (i == 0 && j == 0) {
    sums[(measures + 1) * (measures + 2)] = log_likelihood;
    sums[(measures + 1) * (measures + 2) + 1] = right;
  }
}
