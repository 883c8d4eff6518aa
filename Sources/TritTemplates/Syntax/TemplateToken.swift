/// A token of a template.
enum TemplateToken: Equatable {
  /// Text outside of braces, as it is printed.
  case data(Scalars)
  /// `{{`.
  case variableBegin
  /// `}}`.
  case variableEnd
  /// `{%`.
  case blockBegin
  /// `%}`.
  case blockEnd
  /// A name or keyword.
  case name(String)
  /// A string literal, its escapes read.
  case text(Scalars)
  /// A whole number.
  case integer(Int)
  /// A number with a point or exponent.
  case real(Double)
  /// `+`, `==`, `[` and so on.
  case mark(String)
  /// Nothing is left.
  case end

  /// In the words of Jinja's messages.
  var words: String {
    switch self {
    case .data: "template data"
    case .variableBegin: "begin of print statement"
    case .variableEnd: "end of print statement"
    case .blockBegin: "begin of statement block"
    case .blockEnd: "end of statement block"
    case .name(let name): "'\(name)'"
    case .text: "string"
    case .integer: "integer"
    case .real: "float"
    case .mark(let mark): "'\(mark)'"
    case .end: "end of template"
    }
  }
}

/// A token and where it begins, in code points.
struct PlacedToken {
  let token: TemplateToken
  let at: Int
}
