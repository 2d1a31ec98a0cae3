// gateway/statistics/exposition.hpp: metrics as Prometheus reads them (text format 0.0.4).
//
//   # HELP name words
//   # TYPE name counter | gauge | histogram
//   name{label="value"} number
//
// Layer: gateway. Pure: appends to a string, no clock, no lock.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "gateway/statistics/histogram.hpp"

namespace sluice::gateway::statistics {

// Labels of one sample, made once and used for many: name="value",name="value".
class labels {
public:
    labels& add(std::string_view name, std::string_view value);
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

class exposition {
public:
    explicit exposition(std::size_t expected) { out_.reserve(expected); }

    // All samples of a family follow its head.
    void family(std::string_view name, std::string_view type, std::string_view help);
    template <class Number>
    void sample(const labels& of, Number value)
    {
        head(of, {});
        number(value);
        out_ += '\n';
    }
    // Of a family of type histogram: _bucket, _sum and _count, in seconds, with a bucket for each
    // doubling between 2^from and 2^to ns.
    template <class Buckets>
    void histogram_sample(const labels& of,
                          const histogram_values<Buckets>& values,
                          unsigned from,
                          unsigned to)
    {
        std::uint64_t below = 0;
        std::size_t next = 0;  // bucket that is not in `below` yet
        for (unsigned doubling = from; doubling <= to; ++doubling) {
            const auto bound = std::uint64_t{1} << doubling;
            for (; next + 1 < values.counts.size() && Buckets::lower(next + 1) <= bound; ++next)
                below += values.counts[next];
            bucket(of, bound_text(doubling), below);
        }
        std::uint64_t all = below;
        for (; next < values.counts.size(); ++next)
            all += values.counts[next];
        bucket(of, "+Inf", all);
        head(of, "_sum");
        number(static_cast<double>(values.sum) / 1e9);
        out_ += '\n';
        head(of, "_count");
        number(all);
        out_ += '\n';
    }
    std::string take() { return std::move(out_); }

private:
    void head(const labels& of, std::string_view suffix);
    void bucket(const labels& of, std::string_view bound, std::uint64_t count);
    static std::string_view bound_text(unsigned doubling);  // 2^doubling ns, in seconds
    template <class Number>
    void number(Number value)
    {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        out_.append(digits, end);
    }

    std::string out_;
    std::string name_;
};

}  // namespace sluice::gateway::statistics
