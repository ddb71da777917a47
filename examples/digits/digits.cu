// A network of one hidden layer that reads 8x8 digits: the forward and the backward pass over one
// shard of the images, in one kernel, and the answers for a shard in another. One task is one block
// and one shard. Compiled from this source when the job runs, by NVRTC for a GPU and by the host
// compiler for a CPU device. reference.py does the same in NumPy.
//
// An image is a record of 65 bytes: 64 pixels from 0 to 16, then the digit. The weights are one row
// of floats: first layer [hidden][pixels], its biases, second layer [classes][hidden], its biases.

constexpr int pixels = 64;
constexpr int hidden = 64;
constexpr int classes = 10;
constexpr int record_bytes = pixels + 1;
constexpr float pixel_scale = 1.0f / 16.0f;

constexpr int first_bias_at = hidden * pixels;
constexpr int second_at = first_bias_at + hidden;
constexpr int second_bias_at = second_at + classes * hidden;
constexpr int weight_count = second_bias_at + classes;

constexpr int block_threads = 128;  // the launch's block: one image per thread at a time
constexpr int row = hidden + 1;     // one float more than needed keeps shared memory's banks apart

// Scores of the ten digits for one image; leaves the hidden layer's values in `values`.
__device__ void forward(const unsigned char* image, const float* weights, float* values,
                        float* scores) {
  for (int h = 0; h < hidden; ++h) {
    float sum = weights[first_bias_at + h];
    for (int p = 0; p < pixels; ++p) {
      sum += weights[h * pixels + p] * (image[p] * pixel_scale);
    }
    values[h] = sum > 0.0f ? sum : 0.0f;
  }
  for (int c = 0; c < classes; ++c) {
    float sum = weights[second_bias_at + c];
    for (int h = 0; h < hidden; ++h) {
      sum += weights[second_at + c * hidden + h] * values[h];
    }
    scores[c] = sum;
  }
}

// Turns scores into the slope of the loss by each score, and returns the loss.
__device__ float softmax_slope(float* scores, int digit) {
  float highest = scores[0];
  for (int c = 1; c < classes; ++c) {
    highest = scores[c] > highest ? scores[c] : highest;
  }
  float sum = 0.0f;
  for (int c = 0; c < classes; ++c) {
    sum += expf(scores[c] - highest);
  }
  const float loss = logf(sum) - (scores[digit] - highest);
  for (int c = 0; c < classes; ++c) {
    scores[c] = expf(scores[c] - highest) / sum - (c == digit ? 1.0f : 0.0f);
  }
  return loss;
}

// gradient[weight_count + 1], zeroed before the launch: the sums over the shard, then its loss.
__global__ void train_shard(const unsigned char* images, const int* shard_size,
                            const float* weights, float* gradient) {
  __shared__ float values[block_threads][row];
  __shared__ float slopes[block_threads][classes];
  __shared__ float losses[block_threads];
  const int me = threadIdx.x;
  const int image_count = *shard_size;

  for (int begin = 0; begin < image_count; begin += block_threads) {
    const int left = image_count - begin;
    const int here = left < block_threads ? left : block_threads;
    const unsigned char* chunk = images + begin * record_bytes;

    // Forward, a thread per image.
    if (me < here) {
      const unsigned char* image = chunk + me * record_bytes;
      forward(image, weights, values[me], slopes[me]);
      losses[me] = softmax_slope(slopes[me], image[pixels]);
    }
    __syncthreads();

    // Backward through the second layer, a thread per weight; no two threads add to one place.
    for (int at = me; at < classes * hidden; at += blockDim.x) {
      float sum = 0.0f;
      for (int i = 0; i < here; ++i) {
        sum += slopes[i][at / hidden] * values[i][at % hidden];
      }
      gradient[second_at + at] += sum;
    }
    for (int i = 0; me < classes && i < here; ++i) {
      gradient[second_bias_at + me] += slopes[i][me];
    }
    for (int i = 0; me == 0 && i < here; ++i) {
      gradient[weight_count] += losses[i];
    }
    __syncthreads();

    // From here on `values` holds the slope of the loss by the hidden layer's values.
    for (int h = 0; me < here && h < hidden; ++h) {
      float sum = 0.0f;
      for (int c = 0; c < classes; ++c) {
        sum += slopes[me][c] * weights[second_at + c * hidden + h];
      }
      values[me][h] = values[me][h] > 0.0f ? sum : 0.0f;
    }
    __syncthreads();

    // Backward through the first layer.
    for (int at = me; at < hidden * pixels; at += blockDim.x) {
      float sum = 0.0f;
      for (int i = 0; i < here; ++i) {
        sum += values[i][at / pixels] * (chunk[i * record_bytes + at % pixels] * pixel_scale);
      }
      gradient[at] += sum;
    }
    for (int i = 0; me < hidden && i < here; ++i) {
      gradient[first_bias_at + me] += values[i][me];
    }
    __syncthreads();
  }
}

// The digit that the network reads in each image of the shard.
__global__ void read_shard(const unsigned char* images, const int* shard_size, const float* weights,
                           unsigned char* answers) {
  for (int i = threadIdx.x; i < *shard_size; i += blockDim.x) {
    float values[hidden];
    float scores[classes];
    forward(images + i * record_bytes, weights, values, scores);
    int best = 0;
    for (int c = 1; c < classes; ++c) {
      best = scores[c] > scores[best] ? c : best;
    }
    answers[i] = static_cast<unsigned char>(best);
  }
}
