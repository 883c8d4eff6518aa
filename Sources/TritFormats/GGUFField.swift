package import TritCore

/// A metadata key of a GGUF file with its value, so that every complaint names file, key, what was
/// expected and what is there. The reader of model hyper-parameters takes nothing else: a key of
/// the wrong type is never a default.
package struct GGUFField {
  /// The key.
  package let key: String
  /// Its value.
  package let value: GGUFValue
  private let path: String

  /// `key` of `file`; nil where it is absent.
  package init?(_ file: GGUFFile, _ key: String) {
    guard let value = file[key] else { return nil }
    self.init(key: key, value: value, path: file.path)
  }

  /// `value` under `key` of the file at `path`.
  package init(key: String, value: GGUFValue, path: String) {
    self.key = key
    self.value = value
    self.path = path
  }

  /// `key` of `file`. Throws where it is absent.
  package static func required(_ file: GGUFFile, _ key: String, _ expected: String) throws
    -> GGUFField
  {
    guard let field = GGUFField(file, key) else {
      throw LabError(
        .badData, "the metadata key is missing", at: "\(file.path): \(key)", expected: expected,
        advice:
          "the file is incomplete, or made by a converter that leaves the key out: convert it again"
      )
    }
    return field
  }

  /// `file: key`.
  package var place: String { "\(path): \(key)" }

  /// The text that this is.
  package func string() throws -> String {
    guard let string = value.string else { throw wrongType("text") }
    return string
  }

  /// The truth value that this is.
  package func bool() throws -> Bool {
    guard let bool = value.bool else { throw wrongType("a truth value") }
    return bool
  }

  /// The finite number that this is, whole or not.
  package func number() throws -> Double {
    guard let number = value.double, number.isFinite else { throw wrongType("a number") }
    return number
  }

  /// The whole number that this is, in `range`. With `isList` also a list of equal ones, one a
  /// block, as converters write what may differ between blocks; a list of different ones is refused
  /// by name.
  package func integer(in range: ClosedRange<Int>, orEqualList isList: Bool = false) throws -> Int {
    var number = value.integer
    if isList, let list = value.integers {
      guard let first = list.first else { throw wrongType("a whole number, or a list of them") }
      guard list.allSatisfy({ $0 == first }) else {
        throw LabError(
          .badData, "blocks of different shapes are not supported", at: place,
          expected: "the same number for every block",
          got: list.prefix(8).map(String.init).joined(separator: ", ")
            + (list.count > 8 ? ", …" : ""))
      }
      number = first
    }
    guard let number else { throw wrongType("a whole number") }
    guard range.contains(number) else {
      throw LabError(
        .badData, "the number is out of range", at: place,
        expected: "\(range.lowerBound)…\(range.upperBound)", got: "\(number)")
    }
    return number
  }

  /// The token id that this is, of a vocabulary of `count`; nil for −1 and the largest uint32, with
  /// which converters write "none".
  package func tokenID(below count: Int) throws -> Int? {
    guard let id = value.integer else { throw wrongType("a whole number") }
    if id == -1 || id == Int(UInt32.max) { return nil }
    guard (0..<count).contains(id) else {
      throw LabError(
        .badData, "the id is not in the vocabulary", at: place, expected: "0..<\(count)",
        got: "\(id)")
    }
    return id
  }

  /// An error: the value has another type.
  package func wrongType(_ expected: String) -> LabError {
    let shown = value.string.map { " '\($0.prefix(40))'" } ?? value.double.map { " \($0)" } ?? ""
    return LabError(
      .badData, "the metadata key has the wrong type", at: place, expected: expected,
      got: "\(value.typeName)\(shown)")
  }
}
