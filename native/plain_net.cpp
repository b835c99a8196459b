// The network of plain convolutions: what is the same for every instruction set.
#include "plain_net.h"

#include <algorithm>
#include <cstring>

#include "parallel.h"

namespace salticid {
namespace {

constexpr std::size_t colors = 3, image_stride = 4;
constexpr std::size_t ring_rows = 4;
constexpr std::size_t read_beyond = 64;           // bytes behind the rings: kernels read some, to no effect
constexpr std::size_t most_ring_bytes = 3 << 19;  // of all layers: wider images are cut

// Whole numbers from `first` on, before `end`.
struct Span {
    std::ptrdiff_t first, end;

    std::ptrdiff_t size() const { return end - first; }
    bool has(std::ptrdiff_t n) const { return first <= n && n < end; }
    Span wider(std::ptrdiff_t by) const { return {first - by, end + by}; }
    Span within(std::size_t size) const {
        return {std::max<std::ptrdiff_t>(first, 0), std::min(end, static_cast<std::ptrdiff_t>(size))};
    }
};

Span part_of(std::size_t size, std::size_t number, std::size_t parts) {
    const auto begin = [=](std::size_t n) { return static_cast<std::ptrdiff_t>(size * n / parts); };
    return {begin(number), begin(number + 1)};
}

// Into how many parts an image is cut.
struct Grid {
    std::size_t across, down;
};

// The grid with which the threads compute least, with what parts compute of each other, where no part is wider than
// `most_columns`.
Grid choose_grid(const ColorImage& image, std::size_t threads, std::size_t most_columns, std::size_t margin) {
    const std::size_t fewest = (image.width + most_columns - 1) / most_columns;
    Grid best{};
    std::size_t least = SIZE_MAX;
    for (std::size_t across = fewest; across < fewest + threads && across <= image.width; ++across) {
        const std::size_t down = std::min((threads + across - 1) / across, image.height);
        const std::size_t turns = (across * down + threads - 1) / threads;
        const std::size_t rows = (image.height + down - 1) / down, columns = (image.width + across - 1) / across;
        const std::size_t cost = turns * (rows + margin * (down > 1)) * (columns + margin * (across > 1));
        if (cost < least) {
            least = cost;
            best = {across, down};
        }
    }
    return best;
}

std::size_t bytes_of_column(const PlainNet& net) {
    std::size_t bytes = 0;
    for (const PlainNet::Layer& layer : net.layers()) bytes += ring_rows * layer.stride;
    return bytes;
}

// The work of one thread, on one part of the image after another.
class Worker {
public:
    Worker(const PlainNet& net, const ColorImage& image, const LargeImage& result, std::size_t most_columns)
        : net_(net), image_(image), result_(result), depth_(static_cast<std::ptrdiff_t>(net.layers().size())) {
        const std::size_t pixels = most_columns + 2 * net.layers().size();
        const std::size_t outputs = net.layers().back().packed.outputs;
        std::size_t widest = 0;
        for (const PlainNet::Layer& layer : net.layers()) widest = std::max(widest, pixels * layer.stride);
        ring_bytes_ = pixels * bytes_of_column(net) + widest + read_beyond;
        ring_memory_ = memory_.take(ring_bytes_ + 2 * pixels * outputs);
        std::uint8_t* next = ring_memory_;
        for (const PlainNet::Layer& layer : net.layers()) {
            rings_.push_back({next, pixels * layer.stride});
            next += ring_rows * rings_.back().row_bytes;
        }
        zeros_ = next;
        unshuffled_ = ring_memory_ + ring_bytes_;
        unshuffled_bytes_ = pixels * outputs;
    }

    // Each layer begins a row above the next one, so that two rows of it are there when two rows of that are due.
    void run(Span rows, Span columns) {
        rows_ = rows;
        columns_ = columns;
        std::memset(ring_memory_, 0, ring_bytes_);  // beyond the image too
        const std::ptrdiff_t turns = (rows.size() + 1) / 2 + depth_;
        for (std::ptrdiff_t turn = 0; turn < turns; ++turn) {
            take_in(first_row(0) + 2 * turn);
            take_in(first_row(0) + 2 * turn + 1);
            for (std::ptrdiff_t n = 0; n < std::min(turn, depth_); ++n)
                convolve(n, first_row(n + 1) + 2 * (turn - n - 1));
        }
    }

private:
    struct Ring {
        std::uint8_t* bytes;
        std::size_t row_bytes;
    };

    // What of the inputs of layer `n` the part depends on; of the result, where there is no such layer.
    Span seen(Span part, std::ptrdiff_t n, std::size_t size) const { return part.wider(depth_ - n).within(size); }

    std::ptrdiff_t first_row(std::ptrdiff_t n) const { return rows_.first - depth_ + n; }

    bool wants(std::ptrdiff_t n, std::ptrdiff_t y) const { return seen(rows_, n, image_.height).has(y); }

    std::uint8_t* row_of(std::ptrdiff_t n, std::ptrdiff_t y) const {
        const Ring& ring = rings_[static_cast<std::size_t>(n)];
        return ring.bytes + static_cast<std::size_t>(y - first_row(n)) % ring_rows * ring.row_bytes;
    }

    const std::uint8_t* input_row(std::ptrdiff_t n, std::ptrdiff_t y) const {
        return y < 0 || y >= static_cast<std::ptrdiff_t>(image_.height) ? zeros_ : row_of(n, y);
    }

    // Where column `x` lies in a row of a ring.
    std::ptrdiff_t place(std::ptrdiff_t x) const { return x - columns_.first + depth_; }

    const PlainNet::Layer& layer(std::ptrdiff_t n) const { return net_.layers()[static_cast<std::size_t>(n)]; }

    const std::uint8_t* image_row(std::ptrdiff_t y, std::ptrdiff_t x) const {
        return image_.pixels + y * image_.row_stride + x * static_cast<std::ptrdiff_t>(colors);
    }

    void take_in(std::ptrdiff_t y) const {
        if (!wants(0, y)) return;
        const Span columns = seen(columns_, 0, image_.width);
        const std::uint8_t* from = image_row(y, columns.first);
        std::uint8_t* to = row_of(0, y) + place(columns.first) * static_cast<std::ptrdiff_t>(image_stride);
        for (std::ptrdiff_t x = columns.first; x < columns.end; ++x, from += colors, to += image_stride)
            std::memcpy(to, from, colors);
    }

    // Rows `y` and `y + 1` of what layer `n` makes.
    void convolve(std::ptrdiff_t n, std::ptrdiff_t y) const {
        const Span columns = seen(columns_, n + 1, image_.width);
        const bool last = n + 1 == depth_;
        ConvolvedRows rows{};
        rows.layer = &layer(n).packed;
        rows.stride = layer(n).stride;
        rows.pixels = static_cast<std::size_t>(columns.size());
        rows.to_stride = last ? rows.layer->outputs : layer(n + 1).stride;
        const std::ptrdiff_t left = place(columns.first - 1) * static_cast<std::ptrdiff_t>(rows.stride);
        for (std::ptrdiff_t k = 0; k < 4; ++k) rows.inputs[k] = input_row(n, y + k - 1) + left;
        for (std::ptrdiff_t k = 0; k < 2; ++k)
            if (wants(n + 1, y + k)) rows.to[k] = output_row(n, y, k, columns.first);
        if (rows.to[0] == nullptr && rows.to[1] == nullptr) return;
        net_.convolve(rows);
        for (std::ptrdiff_t k = 0; k < 2; ++k) {
            if (rows.to[k] == nullptr) continue;
            if (last) shuffle(rows.to[k], y + k, columns);
            if (n + 2 == depth_) append_image(y + k, columns, rows.to[k] + rows.layer->outputs, rows.to_stride);
        }
    }

    std::uint8_t* output_row(std::ptrdiff_t n, std::ptrdiff_t y, std::ptrdiff_t k, std::ptrdiff_t x) const {
        if (n + 1 == depth_) return unshuffled_ + static_cast<std::size_t>(k) * unshuffled_bytes_;
        return row_of(n + 1, y + k) + place(x) * static_cast<std::ptrdiff_t>(layer(n + 1).stride);
    }

    // Copies of the image, behind the features that the last layer takes.
    void append_image(std::ptrdiff_t y, Span columns, std::uint8_t* to, std::size_t stride) const {
        const std::uint8_t* from = image_row(y, columns.first);
        for (std::ptrdiff_t x = columns.first; x < columns.end; ++x, from += colors, to += stride)
            for (std::size_t n = 0; n < net_.repeats(); ++n) std::memcpy(to + n * colors, from, colors);
    }

    void shuffle(const std::uint8_t* row, std::ptrdiff_t y, Span columns) const {
        const std::size_t scale = net_.scale(), bytes = scale * colors;
        for (std::size_t dy = 0; dy < scale; ++dy) {
            const std::uint8_t* from = row + dy * bytes;
            const std::ptrdiff_t large_y = y * static_cast<std::ptrdiff_t>(scale) + static_cast<std::ptrdiff_t>(dy);
            std::uint8_t* to = result_.pixels + large_y * result_.row_stride +
                               columns.first * static_cast<std::ptrdiff_t>(bytes);
            for (std::ptrdiff_t x = columns.first; x < columns.end; ++x, from += scale * bytes, to += bytes)
                std::memcpy(to, from, bytes);
        }
    }

    const PlainNet& net_;
    ColorImage image_;
    LargeImage result_;
    std::ptrdiff_t depth_;
    Span rows_{}, columns_{};
    Memory memory_;
    std::size_t ring_bytes_, unshuffled_bytes_;
    std::uint8_t *ring_memory_, *zeros_, *unshuffled_;
    std::vector<Ring> rings_;  // of the inputs of every layer
};

}  // namespace

void PlainNet::enlarge(const ColorImage& image, std::size_t threads, const LargeImage& result) const {
    const std::size_t most_columns = std::max<std::size_t>(most_ring_bytes / bytes_of_column(*this), 64);
    const Grid grid = choose_grid(image, std::max<std::size_t>(threads, 1), most_columns, layers_.size());
    const std::size_t columns = (image.width + grid.across - 1) / grid.across;
    for_each_band(grid.across * grid.down, threads, [&](std::size_t first, std::size_t last) {
        Worker worker(*this, image, result, columns);
        for (std::size_t n = first; n < last; ++n)
            worker.run(part_of(image.height, n / grid.across, grid.down),
                       part_of(image.width, n % grid.across, grid.across));
    });
}

}  // namespace salticid
