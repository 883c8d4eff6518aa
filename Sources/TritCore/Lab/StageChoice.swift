/// A value that a stage's parameter can take, as it stands in an experiment file or a flag.
public enum ParameterValue: Sendable, Hashable, CustomStringConvertible {
  /// A whole number.
  case integer(Int)
  /// A real number.
  case real(Double)
  /// A word.
  case text(String)
  /// A switch.
  case flag(Bool)

  /// Reads `text` as the narrowest kind that fits: flag, integer, real, text.
  public init(parsing text: String) {
    if text == "true" || text == "false" {
      self = .flag(text == "true")
    } else if let integer = Int(text) {
      self = .integer(integer)
    } else if let real = Double(text) {
      self = .real(real)
    } else {
      self = .text(text)
    }
  }

  /// The value as it would be written in a file.
  public var description: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .text(let value): value
    case .flag(let value): "\(value)"
    }
  }

  /// The value as a real number, if it is a number.
  public var asReal: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}

/// One choice for one stage: a registered name and values for its parameters.
///
/// Written `absmean` or `twn:group=64,threshold=0.7` in flags, and `absmean` or
/// `{name: absmean, group: 64}` in experiment files.
public struct StageChoice: Sendable, Hashable, CustomStringConvertible {
  /// The registered name.
  public var name: String
  /// Values by parameter name; what is absent has its default.
  public var parameters: [String: ParameterValue]

  /// A choice with parameters.
  public init(_ name: String, _ parameters: [String: ParameterValue] = [:]) {
    self.name = name
    self.parameters = parameters
  }

  /// Reads the flag form `name:key=value,key=value`.
  public init(parsing text: String) throws {
    let head = text.prefix { $0 != ":" }
    name = String(head)
    parameters = [:]
    guard head.count < text.count else { return }
    for pair in text.dropFirst(head.count + 1).split(
      separator: ",", omittingEmptySubsequences: false)
    {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
        throw LabError(
          .usage, "cannot read the parameter '\(pair)' of '\(text)'",
          expected: "name:key=value,key=value, as in absmean:group=64", got: text)
      }
      parameters[String(sides[0])] = ParameterValue(parsing: String(sides[1]))
    }
  }

  /// The flag form, parameters in alphabetical order.
  public var description: String {
    guard !parameters.isEmpty else { return name }
    let pairs = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return name + ":" + pairs.joined(separator: ",")
  }
}
