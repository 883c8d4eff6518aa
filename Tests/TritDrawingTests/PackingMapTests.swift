import Testing
import TritLab

/// Where packings put their trits, found by experiment, against the layouts as they are published.
@Suite struct PackingMapTests {
  private static let names = Registry<any Packing>.standard.names

  private func map(_ name: String, rows: Int = 2, columns: Int = 8) throws -> (
    packing: any Packing, map: PackingMap
  ) {
    let packing = try Registry<any Packing>.standard.make(StageChoice(name))
    let shape = try PackingDrawing.shape(for: packing, rows: rows, columns: columns)
    return (packing, try PackingMap(packing, rows: shape.rows, columns: shape.columns))
  }

  /// Every trit is in one group, every bit in at most one, and all of a group's bits together have
  /// a value for each of its trits' combinations.
  @Test(arguments: names) func groupsShareNothing(name: String) throws {
    let (_, map) = try map(name)
    #expect(map.groupOfTrit.allSatisfy { $0 != nil })
    #expect(map.groups.flatMap(\.trits).sorted() == Array(0..<(map.rows * map.columns)))
    let bits = map.groups.flatMap(\.bits)
    #expect(Set(bits).count == bits.count)
    #expect(Set(bits).isDisjoint(with: map.scaleBits))
    #expect(bits.allSatisfy { (0..<(8 * map.byteCount)).contains($0) })
    for group in map.groups {
      let combinations = (0..<group.trits.count).reduce(1) { count, _ in count * 3 }
      #expect(1 << group.bits.count >= combinations)
    }
  }

  /// A bit is in the map if and only if unpacking looks at it. TQ1_0 has more bytes than values:
  /// there some bits that packing sets tell unpacking nothing.
  @Test(arguments: names) func unpackingReadsTheseBitsAlone(name: String) throws {
    let (packing, map) = try map(name, columns: 10)
    let count = map.rows * map.columns
    let inMap = Set(map.groups.flatMap(\.bits))
    var read: Set<Int> = []
    var random = SeededRandom(seed: 3)
    for _ in 0..<3 {
      let trits = AlignedBuffer<Int8>(count: count)
      for index in 0..<count { trits[index] = Int8(random.below(3)) - 1 }
      let weights = TernaryMatrix(
        rows: map.rows, columns: map.columns, trits: trits, scales: [1])
      let packed = try packing.pack(.ternary(weights))
      let values = Array(trits.buffer)
      for bit in 0..<(8 * map.byteCount) {
        packed.bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        // An illegal code is one that was looked at.
        let looked: Bool
        switch try? packing.unpack(packed) {
        case .ternary(let matrix)?:
          looked = withExtendedLifetime(matrix.trits) { Array($0.buffer) } != values
        case .integer(let matrix)?:
          looked = withExtendedLifetime(matrix.values) { Array($0.buffer) } != values
        default: looked = true
        }
        if looked { read.insert(bit) }
        packed.bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      }
      withExtendedLifetime(packed) {}
    }
    #expect(read.isSubset(of: inMap))
    if name != "tq1_0" { #expect(read == inMap) }
  }

  /// microsoft/BitNet's 128 layout: trit j of a block is in byte j mod 32, at bit 6 − 2·(j div 32).
  @Test func i2sPutsQuartersSideBySide() throws {
    let (_, map) = try map("i2_s", rows: 2, columns: 128)
    #expect(map.groups.count == 256)
    for trit in 0..<256 {
      let (row, j) = (trit / 128, trit % 128)
      let first = 8 * (32 * row + j % 32) + 7 - (6 - 2 * (j / 32)) - 1
      #expect(map.groups[trit].trits == [trit])
      #expect(map.groups[trit].bits == [first, first + 1])
    }
    #expect(Set(map.scaleBits.map { $0 / 8 }).isSubset(of: [64, 65, 66, 67]))
    #expect(!map.scaleBits.isEmpty)
  }

  /// bitnet.cpp's TL1: row 5, columns 4–7 of 32 × 8 are the byte 16 + 5, a pair a nibble
  /// (offset = q · 16 + lane, with q = (kk mod by) / 4).
  @Test func tl1PutsPairsIntoNibbles() throws {
    let (_, map) = try map("tl1", rows: 32, columns: 8)
    let fields = map.fields(ofByte: 21)
    #expect(fields.map(\.width) == [4, 4])
    let trits = fields.compactMap { $0.group.map { map.groups[$0].trits } }
    #expect(trits == [[5 * 8 + 4, 5 * 8 + 5], [5 * 8 + 6, 5 * 8 + 7]])
  }

  /// bitnet.cpp's TL2: row 12 of 32 × 24 stands at place 20 of its 32 bytes; triple 4 (columns
  /// 12–14) is the high nibble of byte 2 · 32 + 20 and bit 15 − 2 · 4 of sign word 12 behind the
  /// 128 bytes of indices: bit 7 of the word, which is bit 7 of its low byte.
  @Test func tl2HasASignApart() throws {
    let (_, map) = try map("tl2", rows: 32, columns: 24)
    let group = try #require(map.groupOfTrit[12 * 24 + 12])
    #expect(map.groups[group].trits == [300, 301, 302])
    let fields = map.fields(ofGroup: group)
    #expect(fields.map(\.byte) == [84, 128 + 24])
    #expect(fields.map(\.high) == [7, 7])
    #expect(fields.map(\.width) == [4, 1])
  }

  /// 3⁵ = 243 values need all eight bits of a byte.
  @Test func base3SharesAByteAmongFive() throws {
    let (_, map) = try map("base3", rows: 2, columns: 10)
    #expect(map.groups.map(\.trits.count) == [5, 5, 5, 5])
    #expect(map.groups[3].bits == Array(24..<32))
    #expect(map.scaleBits.isEmpty)
  }

  @Test func packingsFromOutsideAreDrawnToo() throws {
    let weights = TernaryMatrix(
      rows: 1, columns: 4, trits: AlignedBuffer([1, 0, -1, 1] as [Int8]), scales: [1])
    let drawing = try PackingDrawing(ByteEach(), weights)
    #expect(drawing.map.groups.map(\.bits.count) == [8, 8, 8, 8])
    #expect(drawing.toyBytes == [0, 1, 2, 3])
    #expect(drawing.displayData.plain.contains("0,2"))
  }

  @Test func largeMatricesAreRefused() throws {
    #expect(throws: LabError.self) {
      try PackingMap(Base3Packing(), rows: 1 << 20, columns: 1 << 20)
    }
    #expect(throws: LabError.self) { try PackingMap(Base3Packing(), rows: 0, columns: 4) }
  }
}

/// A packing of somebody else's: a byte a trit, mirrored.
private struct ByteEach: Packing {
  let name = "mine"
  func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {}
  func byteCount(rows: Int, columns: Int) -> Int { rows * columns }
  func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    guard case .ternary(let matrix) = weights else { throw LabError(.badData, "trits only") }
    let bytes = matrix.trits.buffer.map { UInt8(bitPattern: $0) }
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns, bytes: AlignedBuffer(bytes),
      scales: matrix.scales, granularity: matrix.granularity)
  }
  func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    throw LabError(.badData, "not asked for")
  }
  func read(_ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?) throws
    -> PackedMatrix
  { throw LabError(.badData, "not asked for") }
}
