#include "runtime/exec/cpu/barriers.hpp"

#include <map>

namespace fastgpu::exec {
namespace {

using Names = std::set<std::string, std::less<>>;

bool is_barrier(std::string_view name) {
  if (name.starts_with("__syncthreads") || name == "__syncwarp")
    return true;
  const bool warp = name.starts_with("__shfl_") || name.starts_with("__match_") ||
                    name.starts_with("__reduce_") || name == "__ballot_sync" ||
                    name == "__any_sync" || name == "__all_sync";
  return warp && name.ends_with("_sync");
}

bool is_type_word(std::string_view name) {
  return name == "struct" || name == "class" || name == "union" || name == "enum" ||
         name == "namespace";
}

/// Walks the tokens once and notes for each function (and macro) the names in its body.
class Walk {
 public:
  explicit Walk(const std::vector<Token>& tokens) : tokens_(tokens) {
    for (const Token& token : tokens)
      if (token.kind == Token::Kind::directive)
        note_macro(token);
  }

  void run() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      if (token.kind == Token::Kind::space || token.kind == Token::Kind::directive)
        continue;
      if (in_body())
        step_in_body(token);
      else
        step_outside(token);
    }
  }

  std::map<std::string, Names, std::less<>> uses;
  bool unattributed{false};
  bool any_mention{false};

 private:
  bool in_body() const { return body_depth_ > 0; }

  void note_macro(const Token& directive) {
    const auto inside = lex(directive.text.substr(1));
    std::string name;
    bool define = false;
    for (const Token& token : inside) {
      if (token.kind != Token::Kind::identifier)
        continue;
      if (!define) {
        if (!token.is("define"))
          return;
        define = true;
      } else if (name.empty()) {
        name = token.text;
        macros_.insert(name);
        uses[name];
      } else {
        any_mention |= is_barrier(token.text);
        uses[name].insert(std::string(token.text));
      }
    }
  }

  void step_in_body(const Token& token) {
    if (token.kind == Token::Kind::identifier) {
      any_mention |= is_barrier(token.text);
      for (const auto& owner : owners_)
        uses[owner].insert(std::string(token.text));
    } else if (token.is("{")) {
      ++body_depth_;
    } else if (token.is("}") && --body_depth_ == 0) {
      forget_head();
    }
  }

  void step_outside(const Token& token) {
    if (token.kind == Token::Kind::identifier) {
      if (token.is("template"))
        return skip_template_parameters();
      note_name(token.text);
    } else if (token.is("(")) {
      if (parentheses_ == 0)
        open_parentheses();
      ++parentheses_;
    } else if (token.is(")")) {
      if (parentheses_ > 0)
        --parentheses_;
    } else if (token.is("{")) {
      open_brace();
    } else if (token.is("}")) {
      if (!saved_parentheses_.empty()) {
        parentheses_ = saved_parentheses_.back();
        saved_parentheses_.pop_back();
      }
      forget_head();
    } else if (token.is(";") && parentheses_ == 0) {
      forget_head();
    }
    last_ = token.text;
  }

  void note_name(std::string_view name) {
    if (is_barrier(name)) {
      any_mention = true;
      unattributed = true;
    }
    if (parentheses_ == 0 && is_type_word(name))
      type_word_ = true;
    if (name == "operator")
      owners_.insert("operator");
    if (parentheses_ > 0 && inside_macro_call_)
      owners_.insert(std::string(name));
  }

  /// `last_` is the word before a parenthesis at the outer level: perhaps a function's name.
  void open_parentheses() {
    inside_macro_call_ = false;
    if (last_.empty() || is_attribute_word(last_))
      return;
    const Token name{Token::Kind::identifier, last_};
    if (lex(name.text).front().kind != Token::Kind::identifier)
      return;
    owners_.insert(std::string(last_));
    inside_macro_call_ = macros_.contains(last_);
  }

  void open_brace() {
    const bool after_head = last_ == ")" || last_ == "const" || last_ == "noexcept" ||
                            last_ == "override" || last_ == "final";
    const bool body = parentheses_ == 0 && !owners_.empty() && (!type_word_ || after_head);
    if (body) {
      body_depth_ = 1;
      return;
    }
    saved_parentheses_.push_back(parentheses_);
    parentheses_ = 0;
    forget_head();
  }

  void forget_head() {
    owners_.clear();
    type_word_ = false;
    inside_macro_call_ = false;
    last_ = {};
  }

  void skip_template_parameters() {
    int depth = 0;
    for (std::size_t i = at_ + 1; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Token::Kind::space)
        continue;
      if (token.is("<")) {
        ++depth;
      } else if (depth == 0) {
        return;  // an explicit instantiation
      } else if (token.is(">") && --depth == 0) {
        at_ = i;
        return;
      } else if (token.is("{") || token.is(";")) {
        return;
      }
    }
  }

  const std::vector<Token>& tokens_;
  std::size_t at_{0};
  Names macros_;
  Names owners_;  ///< whose body a brace would open, or whose body this is
  std::vector<int> saved_parentheses_;
  int parentheses_{0};
  int body_depth_{0};
  bool type_word_{false};
  bool inside_macro_call_{false};
  std::string_view last_;
};

}  // namespace

bool is_attribute_word(std::string_view word) {
  return word == "__launch_bounds__" || word == "__align__" || word == "alignas" ||
         word == "__attribute__" || word == "decltype" || word == "noexcept" ||
         word == "__cluster_dims__" || word == "__maxnreg__" || word == "__builtin_align__" ||
         word == "__declspec" || word == "__device__" || word == "__host__" || word == "explicit" ||
         word == "requires";
}

BarrierReach find_barriers(const std::vector<Token>& tokens) {
  Walk walk(tokens);
  walk.run();
  BarrierReach reach;
  reach.any_mention = walk.any_mention;
  reach.everything_waits = walk.unattributed;
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [name, used] : walk.uses) {
      if (reach.waiting.contains(name))
        continue;
      for (const auto& other : used) {
        if (!is_barrier(other) && !reach.waiting.contains(other))
          continue;
        reach.waiting.insert(name);
        grown = true;
        break;
      }
    }
  }
  reach.everything_waits |= reach.waiting.contains("operator");
  return reach;
}

}  // namespace fastgpu::exec
