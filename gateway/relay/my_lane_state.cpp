// gateway/relay/my_lane_state.cpp: what belongs to a client's session, as its server reports it.
#include <algorithm>

#include "gateway/relay/my_lane.hpp"
#include "gateway/statistics/snapshot.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t touched_max = 64;
constexpr std::uint16_t need_reprepare = 1615;

}  // namespace

void my_lane::describe_session(statistics::client_info& into) const
{
    using statistics::client_state;
    into.prepared = statements_.size();
    if (!link_)
        return;
    into.backend = link_->connection_id();
    into.state = was_in_transaction_ ? client_state::in_transaction : client_state::pinned;
    if (pins_.pinned())
        into.pinned_by = pins_.reason();
    else if (in_use_ > 0)
        into.pinned_by = "open cursor or long data";
    else if (one_shot_)
        into.pinned_by = "SET TRANSACTION";
    else if (session_mode())
        into.pinned_by = "pool.mode = session";
}

void my_lane::on_ok(const mysql::ok_message& ok)
{
    if (ok.insert_id != 0) {
        last_insert_id_ = ok.insert_id;
        insert_id_here_ = true;
    }
    note_aftermath(ok);
    if (ok.status & mysql::status::session_state_changed)
        track(ok);
    if (executing_) {
        const bool cursor = (ok.status & mysql::status::cursor_exists) &&
                            !(ok.status & mysql::status::last_row_sent);
        if (!cursor) {
            end_statement(*executing_);
        } else if (!executing_->has_cursor) {
            end_statement(*executing_);
            executing_->has_cursor = true;
            ++in_use_;
        }
        link_->set_dirty(pinned() || session_mode());
    }
    if (command_ == mysql::command::reset_connection)
        reset_session();
}

// What an OK or an end of rows says about its statement.
void my_lane::note_aftermath(const mysql::ok_message& ok)
{
    const bool statement =
        command_ == mysql::command::query || command_ == mysql::command::stmt_execute;
    if (!statement)
        return;
    if (link_->result_ended()) {
        aftermath_.row_count = -1;
        aftermath_.found_rows = link_->rows();
        meter_.rows(link_->rows());
    } else {
        aftermath_.row_count = static_cast<std::int64_t>(ok.affected_rows);
        meter_.rows(ok.affected_rows);
    }
    if (sql::any(effects_.looks & sql::looks_back::diagnostics))
        return;
    aftermath_.warnings = ok.warnings;
    aftermath_.errors = 0;
}

void my_lane::on_error(std::uint16_t number)
{
    failed_ = true;
    meter_.error(std::to_string(number));
    if (timed_out_ && number == time_is_up)
        meter_.refused(error_of(*timed_out_));
    aftermath_.row_count = -1;
    aftermath_.warnings = aftermath_.errors = 1;
    if (!executing_ || command_ != mysql::command::stmt_execute)
        return;
    end_statement(*executing_);
    // The next execution prepares anew.
    if (number == mysql::error_number::unknown_stmt_handler || number == need_reprepare)
        link_->forget_prepared(executing_->here().id);
}

bool my_lane::on_local_infile()
{
    if (!(capabilities_ & mysql::capability::local_files) || !effects_.loads_local_file)
        return false;
    uploading_ = true;
    upload_dropped_ = upload_continues_ = false;
    return true;
}

void my_lane::track(const mysql::ok_message& ok)
{
    bool explained = effects_.changes_explained;
    bool changed = false;
    auto changes = ok.changes;
    while (const auto change = changes.next()) {
        switch (change->type) {
            case mysql::session_track::system_variable: {
                explained = explained || effects_.plain;
                mysql::variable_list variables(change->data);
                while (const auto variable = variables.next())
                    on_variable(variable->name, variable->value);
                break;
            }
            case mysql::session_track::schema: {
                const auto schema = mysql::change_text(change->data);
                explained = explained || command_ == mysql::command::init_db;
                settings_.set(schema_entry, schema);
                link_->note_setting(schema_entry, schema);
                break;
            }
            case mysql::session_track::state_change:
                changed = true;
                break;
            case mysql::session_track::transaction_characteristics:
                // SET TRANSACTION is for the next one; what an open one has ends with it.
                one_shot_ = !mysql::change_text(change->data).empty() &&
                            !(ok.status & mysql::status::in_transaction);
                break;
            case mysql::session_track::transaction_state:
                pins_.set_tables_locked(mysql::change_text(change->data).ends_with('L'));
                break;
            default:
                break;
        }
    }
    if (changed && !explained)
        pins_.pin_for_good("session state");
    link_->set_dirty(pinned() || session_mode());
}

void my_lane::on_variable(std::string_view name, std::string_view value)
{
    switch (kind_of_variable(name)) {
        case my_variable::tracking:
            restore_tracking_ = true;
            return;
        case my_variable::pins:
            pins_.pin_for_good("session variable");
            return;
        case my_variable::last_insert_id: {
            std::uint64_t id = 0;
            for (const char c : value)
                id = c >= '0' && c <= '9' ? id * 10 + static_cast<std::uint64_t>(c - '0') : id;
            last_insert_id_ = id;
            insert_id_here_ = true;
            return;
        }
        case my_variable::charset:
            // The collation is not reported, and character_set_connection stands for it.
            ask_collation_ = true;
            if (name == "character_set_connection" || name == "collation_connection")
                return;
            break;
        case my_variable::follows:
            break;
    }
    settings_.set(name, value);
    link_->note_setting(name, value);
}

// How the server reads this client's texts: its status flags say it.
sql::mysql_mode my_lane::reading_mode() const noexcept
{
    sql::mysql_mode mode;
    mode.backslash_escapes = !(status_ & mysql::status::no_backslash_escapes);
    const auto* said = settings_.find("sql_mode");
    mode.ansi_quotes = said && (said->find("ANSI") != std::string::npos);
    return mode;
}

const std::string& my_lane::client_charset() const noexcept
{
    static const std::string none;
    const auto* said = settings_.find("character_set_client");
    return said ? *said : none;
}

// The server is asked for what it did not report. True: wait for its answer.
bool my_lane::read_touched()
{
    if (std::exchange(restore_tracking_, false))
        link_->restore_tracking();
    if (std::exchange(ask_collation_, false))
        touched_.push_back("collation_connection");
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    std::erase_if(touched_, [](const std::string& name) {
        const auto kind = kind_of_variable(name);
        return kind == my_variable::tracking || kind == my_variable::last_insert_id;
    });
    const bool pins = std::any_of(touched_.begin(), touched_.end(), [](const std::string& name) {
        return kind_of_variable(name) == my_variable::pins;
    });
    if (pins)
        pins_.pin_for_good("session variable");
    if (touched_.empty())
        return !link_->tracker().empty();
    if (touched_.size() > touched_max) {
        touched_.clear();
        pins_.pin_for_good("session variable");
        link_->set_dirty(true);
        return true;
    }
    hold(wait::settings_read);
    link_->read_settings(touched_);
    return true;
}

void my_lane::on_settings_read(const std::vector<std::optional<std::string>>& values)
{
    if (values.size() != touched_.size()) {
        pins_.pin_for_good("session variable");  // it would not say
        link_->set_dirty(true);
    }
    for (std::size_t i = 0; i < values.size() && i < touched_.size(); ++i) {
        const std::string value = values[i].value_or("");
        settings_.set(touched_[i], value);
        link_->note_setting(touched_[i], value);
        if (touched_[i] != "collation_connection")
            continue;
        // It says which character set, too.
        settings_.erase("character_set_connection");
        link_->forget_setting("character_set_connection");
    }
    touched_.clear();
    waiting_ = wait::none;  // on_replies_done follows
}

// As COM_RESET_CONNECTION leaves it: the schema and COM_SET_OPTION stay.
void my_lane::reset_session()
{
    session_settings now = begins_;
    for (const auto name : {schema_entry, multi_statements_entry}) {
        if (const auto* value = settings_.find(name))
            now.set(name, *value);
    }
    settings_ = std::move(now);
    statements_.clear();
    executing_ = nullptr;
    in_use_ = 0;
    pins_.clear();
    touched_.clear();
    one_shot_ = ask_collation_ = restore_tracking_ = false;
    last_insert_id_ = 0;
    insert_id_here_ = false;
    aftermath_ = {};
    forget_aftermath();
}

// What the statement before left is asked for. If it ran here and nobody was here since, the server
// knows; else it is brought along. In either case what others left is cleared.
void my_lane::answer_questions(sql::looks_back asks)
{
    if (!insert_id_here_ && sql::any(asks & sql::looks_back::insert_id)) {
        link_->set_last_insert_id(last_insert_id_);
        insert_id_here_ = true;
    }
    if (sql::any(asks & sql::looks_back::diagnostics) && link_->shows_others_diagnostics())
        link_->clear_diagnostics();
}

bool my_lane::on_link_taken() noexcept
{
    my_link* const link = std::exchange(last_link_, nullptr);
    insert_id_here_ = false;
    if (closed_ || aftermath_.warnings == 0)
        return false;
    diagnostics_from_ = link;
    return true;
}

void my_lane::on_diagnostics(std::vector<my_diagnostic>* all)
{
    diagnostics_from_ = nullptr;
    if (all)
        diagnostics_ = std::make_unique<std::vector<my_diagnostic>>(std::move(*all));
    if (waiting_ != wait::settings_read || link_)
        return;
    waiting_ = wait::none;
    resume();
}

// SHOW WARNINGS and the like, when the last statement's backend is somebody else's.
bool my_lane::shows_diagnostics(std::string_view text, mysql::packet_header header)
{
    const auto wanted = parse_show_diagnostics(text, dialect());
    if (!wanted)
        return false;
    static const std::vector<my_diagnostic> none;
    const auto* charset = settings_.find("character_set_results");
    append_diagnostics(channel_.out(),
                       static_cast<std::uint8_t>(header.sequence + 1),
                       *wanted,
                       diagnostics_ ? *diagnostics_ : none,
                       status_,
                       capabilities_,
                       charset ? *charset : std::string());
    return true;
}

// Another statement comes.
void my_lane::forget_aftermath()
{
    diagnostics_.reset();
    if (my_link* const link = std::exchange(diagnostics_from_, nullptr))
        link->forget_client(*this);
}

sql::dialect my_lane::dialect() const noexcept
{
    return reading_mode().ansi_quotes ? sql::dialect::mysql_ansi_quotes : sql::dialect::mysql;
}

}  // namespace sluice::gateway
