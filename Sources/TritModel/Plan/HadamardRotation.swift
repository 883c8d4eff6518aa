import TritCore
import TritFormats

/// The rotation that some files ask of the inputs of their layers: signs, and then the normalised
/// Walsh-Hadamard transform of each block of `block` elements, `x ↦ H(s ⊙ x)` with
/// `H[r][c] = (−1)^popcount(r and c) / √block`, which is its own inverse.
///
/// Source: PrismML's `prism.hadamard.*` keys (version 1) of Bonsai 2 and the formulas that go with
/// them; Ashkboos et al. 2024 (QuaRot, 2404.00456), §3.
public struct HadamardRotation: Sendable, Hashable {
  /// Elements that are mixed, a power of two.
  public let block: Int
  /// ±1 for every input of a width; no entry where all are 1.
  public let signs: [Int: [Float]]
  /// The tensors whose inputs are rotated, by name.
  public let tensors: Set<String>
  /// Whether rows of the embedding are stored rotated.
  public let rotatesEmbedding: Bool

  /// `out = H(s ⊙ x)`; `count` is a multiple of the block. `out` may be `x`.
  func apply(_ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int) {
    if let signs = signs[count] {
      for index in 0..<count { out[index] = x[index] * signs[index] }
    } else if UnsafePointer(out) != x {
      out.update(from: x, count: count)
    }
    transform(out, count: count)
  }

  /// Takes the rotation back, in place: `x = s ⊙ (H x)`.
  func invert(_ x: UnsafeMutablePointer<Float>, count: Int) {
    transform(x, count: count)
    if let signs = signs[count] {
      for index in 0..<count { x[index] *= signs[index] }
    }
  }

  /// The transform of each block: log₂ passes of sums and differences.
  private func transform(_ x: UnsafeMutablePointer<Float>, count: Int) {
    let norm = 1 / Float(block).squareRoot()
    for start in stride(from: 0, to: count, by: block) {
      let values = x + start
      var half = 1
      while half < block {
        for base in stride(from: 0, to: block, by: 2 * half) {
          for index in base..<base + half {
            let (a, b) = (values[index], values[index + half])
            values[index] = a + b
            values[index + half] = a - b
          }
        }
        half *= 2
      }
      for index in 0..<block { values[index] *= norm }
    }
  }
}

// MARK: - The keys of a file

extension HadamardRotation {
  /// What every key of a rotation begins with.
  static let prefix = "prism.hadamard."

  /// What `file` declares; nil where it has no such key. Throws `badData` where a key is missing,
  /// or says what is not implemented: another transform would be another model.
  init?(_ file: GGUFFile) throws {
    guard file.metadata.contains(where: { $0.key.hasPrefix(Self.prefix) }) else { return nil }
    func field(_ key: String, _ expected: String) throws -> GGUFField {
      try GGUFField.required(file, Self.prefix + key, expected)
    }
    func word(_ key: String, _ legal: [String]) throws -> String {
      let field = try field(key, legal.joined(separator: " or "))
      let word = try field.string()
      guard legal.contains(word) else {
        throw LabError(
          .badData, "the rotation of the weights is of another kind", at: field.place,
          expected: legal.joined(separator: " or "), got: word)
      }
      return word
    }
    func names(_ key: String) -> Set<String> {
      Set(GGUFField(file, Self.prefix + key)?.value.strings ?? [])
    }
    // Version 2 ties the head to a rotated embedding: its contract is not public.
    _ = try field("version", "1").integer(in: 1...1)
    _ = try word("transform", ["normalized-sylvester-walsh-hadamard"])
    _ = try word("axis", ["input-last-dimension"])
    let size = try field("block_size", "a power of two")
    block = try size.integer(in: 1...(1 << 20))
    guard block & (block - 1) == 0 else {
      throw LabError(
        .badData, "the block of the rotation is no power of two", at: size.place, got: "\(block)")
    }
    let known = Set(file.tensors.map(\.name))
    tensors = names("weight_names")
    let inverse = names("inverse_weight_names")
    let place = "\(file.path): \(Self.prefix)weight_names"
    guard !tensors.isEmpty, tensors.isSubset(of: known),
      inverse.isSubset(of: ["token_embd.weight"]),
      tensors.isDisjoint(with: inverse)
    else {
      throw LabError(
        .badData, "the rotation names tensors that it cannot mean", at: place,
        expected: "linear layers of this file; token_embd.weight alone in inverse_weight_names")
    }
    rotatesEmbedding = !inverse.isEmpty
    if try GGUFField(file, Self.prefix + "gdn_v_grouped")?.bool() == true {
      throw LabError(
        .badData, "the rotation is that of a recurrent model", at: "\(Self.prefix)gdn_v_grouped")
    }
    signs =
      try word("sign_mode", ["identity", "explicit"]) == "identity"
      ? [:] : try Self.signs(file, block: block)
    for tensor in tensors {
      guard let info = file.info(tensor), let columns = info.shape.last, columns % block == 0,
        signs.isEmpty || signs[columns] != nil
      else {
        throw LabError(
          .badData, "the rotation does not fit the inputs of a tensor",
          at: "\(file.path): \(tensor)",
          expected: "rows of a multiple of \(block) with signs of that width")
      }
    }
  }

  /// The signs of each width, of widths and values that follow each other.
  private static func signs(_ file: GGUFFile, block: Int) throws -> [Int: [Float]] {
    let place = "\(file.path): \(prefix)sign_values"
    let widths = file[prefix + "sign_widths"]?.integers ?? []
    let values = file[prefix + "sign_values"]?.integers ?? []
    guard !widths.isEmpty, widths.allSatisfy({ $0 > 0 && $0 % block == 0 && $0 < 1 << 24 }),
      Set(widths).count == widths.count, values.count == widths.reduce(0, +),
      values.allSatisfy({ $0 == 1 || $0 == -1 })
    else {
      throw LabError(
        .badData, "the signs of the rotation do not fit their widths", at: place,
        expected: "1 or -1 for every element of the widths, each a multiple of \(block)",
        got: "\(values.count) values for widths \(widths.prefix(8))")
    }
    var result: [Int: [Float]] = [:]
    var start = 0
    for width in widths {
      result[width] = values[start..<start + width].map { Float($0) }
      start += width
    }
    return result
  }
}
