// gateway/config/document.cpp: TOML files as one tree that remembers where each value stands.
#include "gateway/config/document.hpp"

#include <glob.h>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>
#include <utility>

namespace sluice::gateway {

void problems::error(const position& at, std::string_view text)
{
    errors_.push_back({at, std::string(text)});
}

void problems::warning(const position& at, std::string_view text)
{
    warnings_.push_back({at, std::string(text)});
}

std::vector<std::string> problems::sorted(std::vector<entry> entries)
{
    std::stable_sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) {
        return std::tie(*a.at.file, a.at.line, a.at.column) <
               std::tie(*b.at.file, b.at.line, b.at.column);
    });
    std::vector<std::string> lines;
    for (const auto& [at, text] : entries)
        lines.push_back(*at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                        ": " + text);
    return lines;
}

std::vector<std::string> problems::errors() const
{
    return sorted(errors_);
}

std::vector<std::string> problems::error_texts() const
{
    std::vector<std::string> texts;
    for (const auto& each : errors_)
        texts.push_back(each.text);
    return texts;
}

std::vector<std::string> problems::warnings() const
{
    return sorted(warnings_);
}

const member* node::find(std::string_view key) const noexcept
{
    for (const auto& entry : members) {
        if (entry.key == key)
            return &entry;
    }
    return nullptr;
}

std::string resolve_path(const position& named_in, const std::string& path)
{
    if (path.empty())
        return path;
    return (std::filesystem::path(*named_in.file).parent_path() / path).lexically_normal().string();
}

namespace {

constexpr int include_depth_max = 8;

struct reading {
    problems& found;
    std::vector<std::string> open;  // canonical names of the files around this one
};

position place(const std::shared_ptr<const std::string>& file, const toml::source_region& source)
{
    return {file, std::max(source.begin.line, 1u), std::max(source.begin.column, 1u)};
}

// ${NAME} and ${NAME:-otherwise}; $${ is a literal ${. A lone $ is itself: verifiers have many.
std::string expand(const std::string& written, const position& at, problems& found)
{
    std::string out;
    for (std::size_t i = 0; i < written.size();) {
        if (written.compare(i, 3, "$${") == 0) {
            out += "${";
            i += 3;
        } else if (written.compare(i, 2, "${") == 0) {
            const auto end = written.find('}', i);
            if (end == std::string::npos) {
                found.error(at,
                            "\"${\" without \"}\"; write \"$${\" for the characters themselves");
                return out;
            }
            std::string name = written.substr(i + 2, end - i - 2);
            const auto otherwise = name.find(":-");
            const std::string fallback =
                otherwise == std::string::npos ? "" : name.substr(otherwise + 2);
            name.resize(std::min(otherwise, name.size()));
            const char* value = std::getenv(name.c_str());
            if (value)
                out += value;
            else if (otherwise != std::string::npos)
                out += fallback;
            else
                found.error(at,
                            "the environment variable " + name + " is not set; set it, or " +
                                "write ${" + name + ":-default}");
            i = end + 1;
        } else {
            out += written[i++];
        }
    }
    return out;
}

node convert(const toml::node& from,
             const std::shared_ptr<const std::string>& file,
             problems& found)
{
    node made;
    made.at = place(file, from.source());
    if (const auto* text = from.as_string()) {
        made.kind = node_kind::text;
        made.written = text->get();
        made.text = expand(made.written, made.at, found);
    } else if (const auto* integer = from.as_integer()) {
        made.kind = node_kind::integer;
        made.integer = integer->get();
        made.written = std::to_string(made.integer);
    } else if (const auto* real = from.as_floating_point()) {
        made.kind = node_kind::real;
        made.real = real->get();
        made.written = std::to_string(made.real);
    } else if (const auto* boolean = from.as_boolean()) {
        made.kind = node_kind::boolean;
        made.boolean = boolean->get();
        made.written = made.boolean ? "true" : "false";
    } else if (const auto* array = from.as_array()) {
        made.kind = node_kind::array;
        for (const auto& item : *array)
            made.items.push_back(convert(item, file, found));
    } else if (const auto* table = from.as_table()) {
        made.kind = node_kind::table;
        for (const auto& [key, value] : *table)
            made.members.push_back(
                {std::string(key.str()), place(file, key.source()), convert(value, file, found)});
    }
    return made;
}

// Tables are joined; a value may be set in one place only.
void merge(node& into, node from, problems& found)
{
    for (auto& entry : from.members) {
        auto same = std::find_if(into.members.begin(), into.members.end(), [&](const member& m) {
            return m.key == entry.key;
        });
        if (same == into.members.end())
            into.members.push_back(std::move(entry));
        else if (same->value.kind == node_kind::table && entry.value.kind == node_kind::table)
            merge(same->value, std::move(entry.value), found);
        else
            found.error(entry.key_at,
                        "\"" + entry.key + "\" is already set at " + *same->key_at.file + ":" +
                            std::to_string(same->key_at.line));
    }
}

node read_file(const std::string& name, const position* named_at, reading& state);

void include_one(node& root, const node& pattern, reading& state)
{
    if (pattern.kind != node_kind::text) {
        state.found.error(pattern.at,
                          "include is a list of file names, such as [\"conf.d/*.toml\"]");
        return;
    }
    const std::string wanted = resolve_path(pattern.at, pattern.text);
    if (wanted.find_first_of("*?[") == std::string::npos) {
        merge(root, read_file(wanted, &pattern.at, state), state.found);
        return;
    }
    // A pattern may match nothing: an empty conf.d is no mistake.
    glob_t matches{};
    if (::glob(wanted.c_str(), 0, nullptr, &matches) == 0) {
        for (std::size_t i = 0; i < matches.gl_pathc; ++i)
            merge(root, read_file(matches.gl_pathv[i], &pattern.at, state), state.found);
    }
    ::globfree(&matches);
}

void include_files(node& root, reading& state)
{
    const auto found = std::find_if(root.members.begin(), root.members.end(), [](const member& m) {
        return m.key == "include";
    });
    if (found == root.members.end())
        return;
    const node wanted = std::move(found->value);
    root.members.erase(found);
    if (wanted.kind == node_kind::array) {
        for (const auto& pattern : wanted.items)
            include_one(root, pattern, state);
    } else {
        include_one(root, wanted, state);
    }
}

node read_file(const std::string& name, const position* named_at, reading& state)
{
    const auto file = std::make_shared<const std::string>(name);
    node root;
    root.kind = node_kind::table;
    root.at = {file, 1, 1};
    const position& blamed = named_at ? *named_at : root.at;
    std::error_code ignored;
    const std::string canonical = std::filesystem::weakly_canonical(name, ignored).string();
    if (std::find(state.open.begin(), state.open.end(), canonical) != state.open.end() ||
        state.open.size() >= include_depth_max) {
        state.found.error(blamed, "include goes in circles: " + name + " is being read already");
        return root;
    }
    errno = 0;
    std::ifstream in(name, std::ios::binary);
    std::string text;
    if (!in || std::filesystem::is_directory(name, ignored)) {
        const int why = in ? EISDIR : errno;
        state.found.error(blamed, "cannot read " + name + ": " + std::strerror(why));
        return root;
    }
    text.assign(std::istreambuf_iterator<char>(in), {});
    const toml::parse_result parsed = toml::parse(text, name);
    if (!parsed) {
        const std::string what(parsed.error().description());
        state.found.error(place(file, parsed.error().source()), "not valid TOML: " + what);
        return root;
    }
    root = convert(parsed.table(), file, state.found);
    root.at = {file, 1, 1};
    state.open.push_back(canonical);
    include_files(root, state);
    state.open.pop_back();
    return root;
}

}  // namespace

node read_document(const std::string& file, problems& found)
{
    reading state{found, {}};
    return read_file(file, nullptr, state);
}

}  // namespace sluice::gateway
