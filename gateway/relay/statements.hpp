// gateway/relay/statements.hpp: prepared statements by text, shared by all clients and backends.
//
// A client's Parse of a named statement is interned by its text and parameter types. Each distinct
// one has an id and a name of its own on every backend ("sluice_17"), so clients that prepare the
// same text share one prepared statement per backend, whatever they call it.
//
// Layer: gateway/relay. Thread-safe; used when a client prepares, not when it executes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/relay/effects.hpp"
#include "proto/core/bytes.hpp"

namespace sluice::gateway {

struct statement {
    std::uint64_t id = 0;
    std::string backend_name;
    std::string definition;  // a Parse message's body behind the name: text, zero, parameter types
    statement_effects effects;
    std::uint64_t digest = 0;  // see sql::statement_traits
    bool only_reads = false;
};

using statement_ref = std::shared_ptr<const statement>;  // by clients and by the table

class statement_table {
public:
    statement_ref intern(bytes_view definition);
    std::size_t size() const;

private:
    void collect();

    mutable std::mutex mutex_;
    std::unordered_map<std::string_view, statement_ref> by_definition_;  // views into the values
    std::uint64_t next_id_ = 1;
    std::size_t collect_at_ = 1024;
};

// Which statements one backend has prepared, least recently used first.
class prepared_cache {
public:
    // Marks it used; false: not there.
    bool use(std::uint64_t id);
    void add(std::uint64_t id);
    void remove(std::uint64_t id);
    void clear();
    std::size_t size() const noexcept { return index_.size(); }
    std::uint64_t oldest() const noexcept { return order_.front(); }

private:
    std::list<std::uint64_t> order_;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> index_;
};

}  // namespace sluice::gateway
