public import TritCore

/// Weights as the bytes of one packing's layout, with the scales beside them.
public struct PackedMatrix: Sendable {
  /// The registered name of the packing.
  public let packing: String
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int
  /// The codes; where the format stores scales inline (TQ1_0, I2_S tail) they are in here too.
  public let bytes: AlignedBuffer<UInt8>
  /// One multiplier per `granularity`.
  public let scales: [Float]
  /// How many weights share one scale.
  public let granularity: ScaleGranularity

  /// Takes the parts as they are.
  public init(
    packing: String, rows: Int, columns: Int, bytes: AlignedBuffer<UInt8>, scales: [Float],
    granularity: ScaleGranularity
  ) {
    self.packing = packing
    self.rows = rows
    self.columns = columns
    self.bytes = bytes
    self.scales = scales
    self.granularity = granularity
  }
}

/// Values to bytes and back, exactly.
///
/// Laws (`checkPacking`): `unpack(pack(w))` is `w` for every legal shape, trits and scales; the
/// byte count is `byteCount`; an illegal shape or form is an error that says why; bytes that no
/// packing could have made (a fourth 2-bit code, say) are an error, never a trap.
public protocol Packing: Sendable {
  /// The registered name.
  var name: String { get }
  /// Throws an error that says why, where `weights` of this shape and form cannot be packed.
  func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws
  /// Bytes that `[rows, columns]` weights take, tail and padding included.
  func byteCount(rows: Int, columns: Int) -> Int
  /// Packs ternary (or, where the packing says so, integer) weights.
  func pack(_ weights: QuantizedWeights) throws -> PackedMatrix
  /// The weights again.
  func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights
  /// Reads `bytes` as they stand in a file of this format, checking every code. `scales` where the
  /// format does not hold them itself.
  func read(_ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?) throws
    -> PackedMatrix
  /// Whether every code stands for zero, whatever the scales.
  func isZero(_ packed: PackedMatrix) -> Bool
  /// The scale that `unpack` gives back for `scale`: itself, unless the format stores it rounded.
  func storedScale(_ scale: Float) -> Float
}

extension Packing {
  /// Scales are kept as they are.
  public func storedScale(_ scale: Float) -> Float { scale }

  /// Unpacks and looks.
  public func isZero(_ packed: PackedMatrix) -> Bool {
    guard let values = try? unpack(packed).integers?.values else { return false }
    return values.span.withUnsafeBufferPointer { $0.allSatisfy { $0 == 0 } }
  }
}
