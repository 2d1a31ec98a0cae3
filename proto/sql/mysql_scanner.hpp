// proto/sql/mysql_scanner.hpp: the machine behind classify_mysql, one statement at a time.
//
// Layer: proto. As in statement_scanner.hpp: a statement is a head, whose words say what kind it
// is, and a body, in which only few words matter.
#pragma once

#include "proto/sql/classify_mysql.hpp"
#include "proto/sql/digest.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::sql {

class mysql_scanner {
public:
    mysql_scanner(std::string_view text, mysql_mode mode, mysql_traits& out) noexcept
        : lexer_(text, mode.ansi_quotes ? dialect::mysql_ansi_quotes : dialect::mysql), out_(out)
    {
        if (!mode.backslash_escapes)
            lexer_.no_backslash_escapes();
    }

    // Fills `out`, which is new.
    void run() noexcept;

private:
    // What a body must be read with.
    struct statement_state {
        mysql_kind kind = mysql_kind::other;
        std::uint32_t parens = 0;
        std::uint32_t blocks = 0;    // nesting of BEGIN and CASE in a routine's body
        bool routine = false;        // such a body may come, or has: it is not executed now
        bool whole_text = false;     // semicolons end nothing
        bool variables_pin = false;  // any @x may be assigned: CALL, LOAD DATA, GET DIAGNOSTICS
        bool qualified = false;      // the token before was a dot
        bool stands_alone = true;    // nothing met that speaks against self_contained
    };

    void advance() noexcept
    {
        last_end_ = now_.text.data() + now_.text.size();
        now_ = lexer_.next();
        digest_.add(now_);
    }
    bool at(std::string_view lower) const noexcept { return is_word(now_, lower); }
    bool at_op(char c) const noexcept
    {
        return now_.kind == token_kind::op && now_.text.size() == 1 && now_.text[0] == c;
    }
    bool at_assignment() const noexcept
    {
        return at_op('=') || (now_.kind == token_kind::op && now_.text == ":=");
    }
    bool at_end() const noexcept
    {
        return now_.kind == token_kind::end || now_.kind == token_kind::semicolon;
    }
    // Steps over `lower` if it is there.
    bool accept(std::string_view lower) noexcept;

    mysql_kind head() noexcept;
    mysql_kind longer_head(std::string_view word) noexcept;
    void body() noexcept;
    void routine_ended(const mysql_traits& before) noexcept;
    void step() noexcept;
    bool body_word(std::string_view word) noexcept;
    void block_word(std::string_view word) noexcept;
    void called(std::string_view word) noexcept;
    void function_name(std::string_view word) noexcept;
    void user_variable() noexcept;
    void system_variable(std::string_view text) noexcept;
    void into_target() noexcept;

    // mysql_heads.cpp
    mysql_kind insert_head(mysql_kind kind) noexcept;
    mysql_kind begin_head() noexcept;
    mysql_kind start_head() noexcept;
    mysql_kind end_of_transaction(mysql_kind kind) noexcept;
    mysql_kind rollback_head() noexcept;
    mysql_kind show_head() noexcept;
    mysql_kind lock_head() noexcept;
    mysql_kind unlock_head() noexcept;
    mysql_kind flush_head() noexcept;
    mysql_kind handler_head() noexcept;
    mysql_kind load_head() noexcept;
    mysql_kind create_head() noexcept;
    mysql_kind drop_head() noexcept;
    mysql_kind prepare_head() noexcept;
    mysql_kind execute_head() noexcept;
    mysql_kind deallocate_head() noexcept;
    mysql_kind backup_head() noexcept;
    mysql_kind diagnostics_head() noexcept;
    mysql_kind kill_head() noexcept;
    mysql_kind xa_head() noexcept;
    mysql_kind compound() noexcept;
    mysql_kind named(mysql_kind kind) noexcept;

    // mysql_set.cpp
    mysql_kind set_head() noexcept;
    bool skip_set_statement() noexcept;
    void assignment() noexcept;
    enum class scope : std::uint8_t { none, session, global };
    static scope scope_of(std::string_view word) noexcept;
    void assign(scope where, std::string_view name) noexcept;
    void transaction(scope where) noexcept;
    std::string_view variable_name() noexcept;
    std::string_view value_to_comma() noexcept;
    std::string_view since(const char* begin) const noexcept
    {
        return {begin, last_end_ > begin ? static_cast<std::size_t>(last_end_ - begin) : 0};
    }

    void touch(std::string_view name, std::string_view value) noexcept;
    void look(looks_back at) noexcept;
    void pin(mysql_pin reason) noexcept;
    void unpin(mysql_pin reason) noexcept;

    lexer lexer_;
    token now_;
    statement_digest digest_;
    const char* last_end_ = nullptr;  // where the token before it ended
    statement_state state_;
    mysql_traits& out_;
};

}  // namespace sluice::sql
