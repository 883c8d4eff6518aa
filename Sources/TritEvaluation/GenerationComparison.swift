/// Where two generations from one prompt part: the plainest measure of a variant, since a greedy
/// continuation that agrees for n tokens had the same most likely token n times in a row.
public struct GenerationComparison: Sendable, Hashable, Codable {
  /// Tokens of the variant.
  public let variantCount: Int
  /// Tokens of the reference.
  public let referenceCount: Int
  /// Tokens at the beginning that are the same.
  public let agreeingPrefix: Int
  /// Positions with the same token, over the whole common length.
  public let agreeingPositions: Int

  /// Compares token ids.
  public init(variant: [Int], reference: [Int]) {
    variantCount = variant.count
    referenceCount = reference.count
    agreeingPrefix = zip(variant, reference).prefix { $0 == $1 }.count
    agreeingPositions = zip(variant, reference).count { $0 == $1 }
  }

  /// Whether both are the same list.
  public var isIdentical: Bool {
    variantCount == referenceCount && agreeingPrefix == variantCount
  }

  /// The agreeing prefix as a share of the longer list; 1 for two empty ones.
  public var agreeingShare: Double {
    let longer = max(variantCount, referenceCount)
    return longer == 0 ? 1 : Double(agreeingPrefix) / Double(longer)
  }
}
