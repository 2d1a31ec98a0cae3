// gateway/translate/conversation_settings.cpp: SHOW, SET and RESET.
#include "gateway/translate/conversation.hpp"
#include "proto/pg/replies.hpp"

namespace sluice::gateway {

// SHOW, SET and RESET that were found to be right.
bool conversation::run_settings(const client_statement& statement, bool show_columns)
{
    auto& out = channel_->out();
    const auto& words = statement.settings;
    const auto text_column = [](std::string_view name) {
        pg::column_description column;
        column.name = name;
        column.type = pg::oid::text;
        return column;
    };
    const auto append_row = [&out](const std::vector<std::string>& fields) {
        pg::data_row row(out, static_cast<std::uint16_t>(fields.size()));
        for (const auto& field : fields) {
            row.begin_field();
            out.append(field);
            row.end_field();
        }
        row.end();
    };
    switch (words.verb) {
        case sql::settings_verb::show: {
            const auto name = settings_.name_in_display(words.name);
            auto value = settings_.show(words.name).value_or("");
            if (name == "transaction_isolation") {
                auto level = settings_.show("default_transaction_isolation").value_or("");
                if (block_ == block::open)
                    level = pending_.level == sqlite::isolation::read_committed ? "read committed"
                            : pending_.level == sqlite::isolation::repeatable_read
                                ? "repeatable read"
                                : "serializable";
                value = level;
            }
            if (name == "transaction_read_only")
                value = (block_ == block::open
                             ? read_only_
                             : settings_.show("default_transaction_read_only") == "on")
                            ? "on"
                            : "off";
            if (show_columns) {
                const pg::column_description columns[] = {text_column(name)};
                pg::append_row_description(out, columns);
            }
            append_row({value});
            pg::append_command_complete(out, "SHOW");
            return true;
        }
        case sql::settings_verb::show_all: {
            if (show_columns) {
                const pg::column_description columns[] = {
                    text_column("name"), text_column("setting"), text_column("description")};
                pg::append_row_description(out, columns);
            }
            for (const auto& [name, value] : settings_.all())
                append_row({settings_.name_in_display(name), value, ""});
            pg::append_command_complete(out, "SHOW");
            return true;
        }
        case sql::settings_verb::reset_all:
            settings_.reset_all(block_ != block::none);
            pg::append_command_complete(out, "RESET");
            break;
        case sql::settings_verb::reset:
            pg::append_command_complete(out, "RESET");
            break;
        default:
            pg::append_command_complete(out, "SET");
            break;
    }
    if (block_ == block::none)
        settings_.end_transaction(true);
    context_stale_ = true;
    return true;
}

}  // namespace sluice::gateway
