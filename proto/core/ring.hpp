// proto/core/ring.hpp: a first-in-first-out of small values that allocates only when it holds more
// than ever before.
//
// Layer: proto. Bounds: whoever pushes keeps the limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace sluice {

template <class T>
class ring {
public:
    bool empty() const noexcept { return count_ == 0; }
    std::size_t size() const noexcept { return count_; }
    // Of those that are there.
    T& operator[](std::size_t i) noexcept { return slots_[(first_ + i) & (slots_.size() - 1)]; }
    const T& operator[](std::size_t i) const noexcept
    {
        return slots_[(first_ + i) & (slots_.size() - 1)];
    }
    T& front() noexcept { return slots_[first_]; }
    const T& front() const noexcept { return slots_[first_]; }

    void push(T value)
    {
        if (count_ == slots_.size())
            grow();
        ++count_;
        (*this)[count_ - 1] = std::move(value);
    }
    void pop() noexcept
    {
        first_ = (first_ + 1) & (slots_.size() - 1);
        --count_;
    }
    void erase(std::size_t i) noexcept
    {
        for (; i + 1 < count_; ++i)
            (*this)[i] = std::move((*this)[i + 1]);
        --count_;
    }
    void clear() noexcept { first_ = count_ = 0; }

private:
    void grow()
    {
        std::vector<T> larger(std::max<std::size_t>(smallest, slots_.size() * 2));
        for (std::size_t i = 0; i < count_; ++i)
            larger[i] = std::move((*this)[i]);
        slots_.swap(larger);
        first_ = 0;
    }

    static constexpr std::size_t smallest = 4;
    std::vector<T> slots_;  // its size is a power of two
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace sluice
