/// Values for every parameter of one choice, checked against its descriptor, defaults filled in.
public struct ResolvedParameters: Sendable {
  private let values: [String: ParameterValue]

  init(values: [String: ParameterValue]) { self.values = values }

  /// A whole number.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value)? = values[name] else { unregistered(name) }
    return value
  }

  /// A real number; whole numbers count.
  public func real(_ name: String) -> Double {
    guard let value = values[name]?.asReal else { unregistered(name) }
    return value
  }

  /// A word.
  public func text(_ name: String) -> String {
    guard let value = values[name] else { unregistered(name) }
    return value.description
  }

  /// A switch.
  public func flag(_ name: String) -> Bool {
    guard case .flag(let value)? = values[name] else { unregistered(name) }
    return value
  }

  private func unregistered(_ name: String) -> Never {
    preconditionFailure("a factory asked for the parameter '\(name)' that its descriptor lacks")
  }
}
