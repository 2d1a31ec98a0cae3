// gateway/log/log.hpp: stub
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <cstdio>
namespace sluice::gateway::log {
struct field {
    std::string_view key;
    std::string value;
    field(std::string_view k, std::string_view v) : key(k), value(v) {}
    field(std::string_view k, const char* v) : key(k), value(v) {}
    field(std::string_view k, const std::string& v) : key(k), value(v) {}
    template <class T>
    requires std::is_arithmetic_v<T> field(std::string_view k, T v)
        : key(k), value(std::to_string(v))
    {
    }
};
inline void put(const char* level, std::string_view text, std::initializer_list<field> fields)
{
    std::string line = std::string(level) + " " + std::string(text);
    for (auto& f : fields)
        line += " " + std::string(f.key) + "=" + f.value;
    std::fprintf(stderr, "%s\n", line.c_str());
}
inline void debug(std::string_view, std::initializer_list<field> = {}) {}
inline void info(std::string_view t, std::initializer_list<field> f = {})
{
    put("info", t, f);
}
inline void warn(std::string_view t, std::initializer_list<field> f = {})
{
    put("warn", t, f);
}
inline void error(std::string_view t, std::initializer_list<field> f = {})
{
    put("error", t, f);
}
}  // namespace sluice::gateway::log
