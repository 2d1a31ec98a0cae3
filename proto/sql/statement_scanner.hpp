// proto/sql/statement_scanner.hpp: the machine behind classify_postgres, one statement at a time.
//
// Layer: proto. A statement is a head, whose words say what kind it is, and a body, in which only
// few words matter. Each head function begins at the word behind the one that chose it and leaves
// `now_` somewhere in the statement; body() then reads to the semicolon.
#pragma once

#include "proto/sql/classify.hpp"
#include "proto/sql/digest.hpp"

namespace sluice::sql {

class statement_scanner {
public:
    statement_scanner(std::string_view text, statement_traits& out) noexcept
        : lexer_(text), out_(out)
    {
    }

    // Fills `out`, which is new.
    void run() noexcept;

private:
    // What a body must be read with.
    struct statement_state {
        statement_kind kind = statement_kind::other;
        std::uint32_t parens = 0;
        std::uint32_t atomic = 0;   // nesting of BEGIN ATOMIC ... END in a function's definition
        bool after_insert = false;  // the last word was INSERT or MERGE: INTO belongs to it
        bool stands_alone = true;   // nothing met that speaks against self_contained
        bool temporary = false;     // its temporary table is the reason for that pin
        bool only_reads = true;     // nothing met that might write
        bool after_dot = false;
        std::string_view name;  // the last token, if it may be what a parenthesis calls
    };

    void advance() noexcept;
    bool at(std::string_view lower) const noexcept { return is_word(now_, lower); }
    bool at_end() const noexcept
    {
        return now_.kind == token_kind::end || now_.kind == token_kind::semicolon;
    }
    // Steps over `lower` if it is there.
    bool accept(std::string_view lower) noexcept;

    statement_kind head() noexcept;
    statement_kind longer_head(std::string_view word) noexcept;
    void body() noexcept;
    bool body_word(std::string_view word) noexcept;
    void called(std::string_view name) noexcept;
    void definition_word(std::string_view word) noexcept;
    void function_name(std::string_view word) noexcept;

    // statement_heads.cpp
    statement_kind set_head() noexcept;
    statement_kind reset_head() noexcept;
    statement_kind prepare_head() noexcept;
    statement_kind deallocate_head() noexcept;
    statement_kind discard_head() noexcept;
    statement_kind declare_head() noexcept;
    statement_kind fetch_head() noexcept;
    statement_kind close_head() noexcept;
    statement_kind rollback_head() noexcept;
    statement_kind unlisten_head() noexcept;
    statement_kind create_head() noexcept;
    statement_kind explain_head() noexcept;
    statement_kind do_head() noexcept;
    statement_kind named(statement_kind kind) noexcept;

    void assignment(std::string_view name) noexcept;
    void session_characteristics() noexcept;
    std::string_view setting_name() noexcept;
    std::string_view value_to_end() noexcept;
    void into_target() noexcept;
    void temporary() noexcept;
    void set_config_call() noexcept;
    void code(std::string_view quoted) noexcept;

    void touch(std::string_view name, std::string_view value = {}) noexcept;
    void remember_name(const token& name, statement_kind kind) noexcept;
    void pin(pin_reason reason) noexcept;
    void unpin(pin_reason reason) noexcept;

    lexer lexer_;
    token now_;
    statement_digest digest_;
    statement_state state_;
    statement_traits& out_;
};

}  // namespace sluice::sql
