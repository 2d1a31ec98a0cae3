// proto/core/byte_queue.hpp: a growable first-in-first-out of bytes that gives its memory back when
// it is empty.
//
// Layer: proto. Owned by one connection; stands for bytes that arrived and wait to be understood,
// or that wait to be sent.
//
//   data_:   [ consumed | readable | free ]
//            0          begin_     end_   capacity_
//
// Bounds: it grows as told; whoever appends keeps the limit (a connection pauses reading).
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "proto/core/bytes.hpp"

namespace sluice {

class byte_queue {
public:
    byte_queue() noexcept = default;
    byte_queue(byte_queue&& other) noexcept { swap(other); }
    byte_queue& operator=(byte_queue&& other) noexcept
    {
        swap(other);
        return *this;
    }

    void swap(byte_queue& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
        std::swap(capacity_, other.capacity_);
        std::swap(kept_, other.kept_);
    }

    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    bytes_view readable() const noexcept { return {data_.get() + begin_, size()}; }
    std::byte* mutable_data() noexcept { return data_.get() + begin_; }

    void append(bytes_view bytes)
    {
        if (bytes.empty())
            return;
        std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
    }
    void append(std::string_view text) { append(as_bytes(text)); }

    void append_byte(char c) { *grow(1) = static_cast<std::byte>(c); }

    template <std::unsigned_integral T>
    void append_be(T value)
    {
        store_be(grow(sizeof value), value);
    }
    template <std::unsigned_integral T>
    void append_le(T value)
    {
        store_le(grow(sizeof value), value);
    }

    void append_cstring(std::string_view text)
    {
        append(text);
        append_byte('\0');
    }

    // `count` more readable bytes, to be written by the caller at once.
    std::byte* grow(std::size_t count)
    {
        reserve(count);
        std::byte* at = data_.get() + end_;
        end_ += count;
        return at;
    }

    // Takes back the last `count` bytes.
    void shrink(std::size_t count) noexcept { end_ -= count; }

    void consume(std::size_t count) noexcept
    {
        begin_ += count;
        if (begin_ == end_)
            clear();
    }

    // A queue that is in use all the time keeps this much memory when it is empty; at first none.
    void keep(std::size_t capacity) noexcept { kept_ = capacity; }

    // Empties and, above what it keeps, frees.
    void clear() noexcept
    {
        begin_ = end_ = 0;
        if (capacity_ > kept_) {
            data_.reset();
            capacity_ = 0;
        }
    }

private:
    struct free_delete {
        void operator()(std::byte* p) const noexcept { std::free(p); }
    };

    void reserve(std::size_t more)
    {
        if (capacity_ - end_ >= more)
            return;
        if (begin_ > 0) {
            std::memmove(data_.get(), data_.get() + begin_, size());
            end_ -= begin_;
            begin_ = 0;
            if (capacity_ - end_ >= more)
                return;
        }
        std::size_t wanted = capacity_ ? capacity_ * 2 : 512;
        while (wanted - end_ < more)
            wanted *= 2;
        void* grown = std::realloc(data_.get(), wanted);
        if (!grown)
            throw std::bad_alloc();
        (void)data_.release();
        data_.reset(static_cast<std::byte*>(grown));
        capacity_ = wanted;
    }

    std::unique_ptr<std::byte, free_delete> data_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
    std::size_t kept_ = 0;
};

}  // namespace sluice
