/// The values that a function, filter, test or macro was called with.
struct TemplateCall {
  /// What is called, for messages.
  var name: String
  var positional: [TemplateValue]
  var named: [(name: String, value: TemplateValue)] = []

  /// The values by the names of parameters, as Python binds them; nil where none was given.
  /// Throws for values too many, unknown names, names given twice, and a missing one of the first
  /// `required`.
  func bound(_ parameters: [String], required: Int = 0) throws -> [TemplateValue?] {
    guard positional.count <= parameters.count else {
      throw TemplateFault(
        .type, "\(name)() takes at most \(parameters.count) arguments (\(positional.count) given)")
    }
    var values: [TemplateValue?] = positional
    values += Array(repeating: nil, count: parameters.count - positional.count)
    for (key, value) in named {
      guard let index = parameters.firstIndex(of: key) else {
        throw TemplateFault(.type, "\(name)() got an unexpected keyword argument '\(key)'")
      }
      guard values[index] == nil else {
        throw TemplateFault(.type, "\(name)() got multiple values for argument '\(key)'")
      }
      values[index] = value
    }
    if let missing = (0..<required).first(where: { values[$0] == nil }) {
      throw TemplateFault(
        .type, "\(name)() misses the argument '\(parameters[missing])'")
    }
    return values
  }

  /// The values of a function that takes them by position only.
  func unnamed(_ counts: ClosedRange<Int>) throws -> [TemplateValue] {
    guard named.isEmpty else {
      throw TemplateFault(.type, "\(name)() takes no keyword arguments")
    }
    guard counts.contains(positional.count) else {
      throw TemplateFault(
        .type,
        "\(name)() takes \(counts.lowerBound) to \(counts.upperBound) arguments (\(positional.count) given)"
      )
    }
    return positional
  }
}
