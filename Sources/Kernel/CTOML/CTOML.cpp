#include "CTOML.h"

#define TOML_EXCEPTIONS 0
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string_view>
#include <toml++/toml.h>

char *gantry_toml_to_json(const char *text, size_t length, char *reason, size_t capacity, uint32_t *line) {
    toml::parse_result result = toml::parse(std::string_view(text, length));
    if (!result) {
        const std::string_view words = result.error().description();
        snprintf(reason, capacity, "%.*s", static_cast<int>(words.size()), words.data());
        *line = result.error().source().begin.line;
        return nullptr;
    }
    std::ostringstream json;
    json << toml::json_formatter(result.table());
    return strdup(json.str().c_str());
}
