#pragma once

/// A small part of JSON Schema (draft-07), enough for docs/schema: type, const, enum, pattern,
/// minimum, required, properties, items, allOf, anyOf, and $ref to a definition of a file. Keys
/// that a schema does not name are allowed: documents may grow. For tests.

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <utility>

namespace fastgpu::testing {

class JsonSchemas {
 public:
  using Json = nlohmann::json;

  explicit JsonSchemas(std::string folder) : folder_(std::move(folder)) {}

  /// Empty where `text` is one document as `name`.json describes it, else where it is not, and why.
  std::string check(const std::string& name, const std::string& text) const {
    const Json document = Json::parse(text, nullptr, false);
    if (document.is_discarded()) {
      return "this is no JSON document, or more than one: " + text;
    }
    return check(load(name + ".json"), document, name);
  }

 private:
  Json load(const std::string& file) const {
    std::ifstream in(folder_ + "/" + file);
    return Json::parse(in, nullptr, false);
  }

  Json resolve(const std::string& reference) const {
    const std::size_t mark = reference.find('#');
    return load(reference.substr(0, mark)).at(Json::json_pointer(reference.substr(mark + 1)));
  }

  static bool is_type(const std::string& type, const Json& value) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) ||
           (type == "integer" && value.is_number_integer()) ||
           (type == "number" && value.is_number());
  }

  static bool has_type(const Json& types, const Json& value) {
    if (types.is_string()) {
      return is_type(types.get<std::string>(), value);
    }
    for (const Json& each : types) {
      if (is_type(each.get<std::string>(), value)) {
        return true;
      }
    }
    return false;
  }

  std::string check(const Json& schema, const Json& value, const std::string& where) const {
    if (!schema.is_object()) {
      return where + ": there is no such schema";
    }
    if (schema.contains("$ref")) {
      return check(resolve(schema["$ref"]), value, where);
    }
    for (const Json& part : schema.value("allOf", Json::array())) {
      if (const std::string wrong = check(part, value, where); !wrong.empty()) {
        return wrong;
      }
    }
    if (const std::string wrong = check_any(schema, value, where); !wrong.empty()) {
      return wrong;
    }
    if (const std::string wrong = check_value(schema, value, where); !wrong.empty()) {
      return wrong;
    }
    return check_children(schema, value, where);
  }

  std::string check_any(const Json& schema, const Json& value, const std::string& where) const {
    std::string all;
    for (const Json& part : schema.value("anyOf", Json::array())) {
      const std::string wrong = check(part, value, where);
      if (wrong.empty()) {
        return {};
      }
      all += (all.empty() ? "" : "; or ") + wrong;
    }
    return all;
  }

  static std::string check_value(const Json& schema, const Json& value, const std::string& where) {
    if (schema.contains("type") && !has_type(schema["type"], value)) {
      return where + ": " + value.dump() + " is not of type " + schema["type"].dump();
    }
    if (schema.contains("const") && schema["const"] != value) {
      return where + ": " + value.dump() + " should be " + schema["const"].dump();
    }
    if (schema.contains("enum")) {
      const Json& words = schema["enum"];
      if (std::find(words.begin(), words.end(), value) == words.end()) {
        return where + ": " + value.dump() + " is none of " + words.dump();
      }
    }
    if (schema.contains("pattern") &&
        !std::regex_search(value.get<std::string>(), std::regex(schema["pattern"]))) {
      return where + ": " + value.dump() + " does not match " + schema["pattern"].dump();
    }
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"]) {
      return where + ": " + value.dump() + " is too small";
    }
    return {};
  }

  std::string check_children(const Json& schema, const Json& value,
                             const std::string& where) const {
    for (const Json& key : schema.value("required", Json::array())) {
      if (value.is_object() && !value.contains(key.get<std::string>())) {
        return where + ": " + key.dump() + " is missing";
      }
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [key, part] : properties.items()) {
      if (value.is_object() && value.contains(key)) {
        if (const std::string wrong = check(part, value[key], where + "." + key); !wrong.empty()) {
          return wrong;
        }
      }
    }
    for (std::size_t i = 0; schema.contains("items") && i < value.size(); ++i) {
      const std::string at = where + "[" + std::to_string(i) + "]";
      if (const std::string wrong = check(schema["items"], value[i], at); !wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  std::string folder_;
};

}  // namespace fastgpu::testing
