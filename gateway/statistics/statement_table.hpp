// gateway/statistics/statement_table.hpp: which statements the clients of one database run on one
// worker, how often and how long: by digest, so that constants do not matter.
//
// A digest has its place in one of 64 sets of eight; the least recently used of its set gives way.
// Sets are made when they are first used: most databases see few different statements. What is kept
// of a statement's text has its constants taken out (proto/sql): nobody's data is shown.
//
// Layer: gateway. Thread: written by one worker; read by any.
// Bounds: 512 statements; sets (3.6 kB each) of all tables together by `sets_left`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/statistics/histogram.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway::statistics {

struct statement_totals {
    std::uint64_t digest = 0;
    std::string text;
    std::uint64_t calls = 0;
    std::uint64_t rows = 0;
    std::uint64_t errors = 0;
    std::uint64_t backend_time = 0;  // ns
    small_times latency;

    statement_totals& operator+=(const statement_totals& other);
};

// The texts of all digests, shared by the workers: touched when a statement is new to a worker.
class statement_texts {
public:
    void add(std::uint64_t digest, std::string_view text, sql::dialect d);
    std::string find(std::uint64_t digest) const;

private:
    static constexpr std::size_t texts_max = 8192;
    static constexpr std::size_t text_max = 1024;

    mutable std::mutex mutex_;
    std::map<std::uint64_t, std::string> texts_;
};

class statement_table {
public:
    struct alignas(64) entry {
        void clear() noexcept;

        counter calls;
        counter rows;
        counter errors;
        counter backend_time;
        small_histogram latency;
    };

    explicit statement_table(std::atomic<std::size_t>& sets_left) : sets_left_(sets_left) {}
    ~statement_table();
    statement_table(const statement_table&) = delete;
    statement_table& operator=(const statement_table&) = delete;

    // The place of `digest`; `fresh`: it was not here before. Null: there is no room at all.
    entry* find_or_add(std::uint64_t digest, bool& fresh) noexcept;

    // Adds what is here to `into`, by digest.
    void read(std::map<std::uint64_t, statement_totals>& into) const;

private:
    static constexpr std::size_t sets = 64;
    static constexpr std::size_t ways = 8;

    // What is searched lies together.
    struct alignas(64) set {
        std::array<std::atomic<std::uint64_t>, ways> digests{};
        std::array<std::uint64_t, ways> used{};  // the writer's alone
        std::array<entry, ways> entries;
    };

    std::atomic<std::size_t>& sets_left_;  // of all tables
    std::array<std::atomic<set*>, sets> sets_{};
    std::uint64_t clock_ = 0;
};

}  // namespace sluice::gateway::statistics
