// Filters over a grey picture of one byte a pixel, row by row. Each task computes some of the rows,
// a thread for each pixel, and is given the whole picture: at this size that costs less than
// cutting it up. Past the picture's border the border goes on. All sums are of whole numbers, so
// that the result is the same on every device, to the bit.

__device__ int pixel(const unsigned char* picture, int width, int height, int x, int y) {
  x = x < 0 ? 0 : x >= width ? width - 1 : x;
  y = y < 0 ? 0 : y >= height ? height - 1 : y;
  return picture[y * width + x];
}

// This thread's column, and its row in the picture; rows[] holds the task's `row_count` rows from
// `first_row` on, and the last task may have fewer to fill than it has room for.
struct Place {
  int x;
  int y;
  int at;  // in rows[]
  bool is_inside;
};

__device__ Place place(int width, int height, int task, int row_count) {
  Place here;
  here.x = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  here.y = task * row_count + row;
  here.at = row * width + here.x;
  here.is_inside = here.x < width && row < row_count && here.y < height;
  return here;
}

// The weights 1 4 6 4 1 are a row of Pascal's triangle: the nearest that whole numbers come to a
// Gaussian with a standard deviation of one pixel. A blur in two dimensions is one along the rows
// and then one along the columns: ten products a pixel in place of twenty-five.
template <int step_x, int step_y>
__global__ void blur(const unsigned char* picture, unsigned char* rows, int width, int height,
                     int task, int row_count) {
  const int weights[5] = {1, 4, 6, 4, 1};
  const Place here = place(width, height, task, row_count);
  if (!here.is_inside) {
    return;
  }
  int sum = 8;  // half of 16: rounds to the nearest
  for (int i = -2; i <= 2; ++i) {
    sum += weights[i + 2] * pixel(picture, width, height, here.x + i * step_x, here.y + i * step_y);
  }
  rows[here.at] = sum / 16;
}

// How steeply the picture changes (Sobel): the differences to both sides, each smoothed across.
__global__ void edges(const unsigned char* picture, unsigned char* rows, int width, int height,
                      int task, int row_count) {
  const Place here = place(width, height, task, row_count);
  if (!here.is_inside) {
    return;
  }
  int slope_x = 0;
  int slope_y = 0;
  for (int i = -1; i <= 1; ++i) {
    const int weight = i == 0 ? 2 : 1;
    slope_x += weight * (pixel(picture, width, height, here.x + 1, here.y + i) -
                         pixel(picture, width, height, here.x - 1, here.y + i));
    slope_y += weight * (pixel(picture, width, height, here.x + i, here.y + 1) -
                         pixel(picture, width, height, here.x + i, here.y - 1));
  }
  const float steepness = sqrtf(static_cast<float>(slope_x * slope_x + slope_y * slope_y));
  rows[here.at] = steepness > 255.0f ? 255 : static_cast<unsigned char>(steepness);
}
