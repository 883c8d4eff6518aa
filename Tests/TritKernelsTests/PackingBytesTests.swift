import Testing
import TritLab

/// Worked bytes of the formats, computed by hand from their definitions.
@Suite struct PackingBytesTests {
  private func ternary(
    _ rows: Int, _ columns: Int, scale: Float = 1, _ trit: (Int, Int) -> Int
  ) -> QuantizedWeights {
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { trits[row * columns + column] = Int8(trit(row, column)) }
    }
    return .ternary(TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale]))
  }

  private func bytes(_ packing: any Packing, _ weights: QuantizedWeights) throws -> [UInt8] {
    let packed = try packing.pack(weights)
    return withExtendedLifetime(packed) { Array($0.bytes.buffer) }
  }

  @Test func i2sBlock() throws {
    let bytes = try bytes(I2SPacking(), ternary(1, 128, scale: 1.5) { $1 % 3 - 1 })
    let pattern: [UInt8] = [0x24, 0x49, 0x92]
    #expect(bytes.prefix(32).elementsEqual((0..<32).map { pattern[$0 % 3] }))
    #expect(Array(bytes[32...]) == [0, 0, 0xC0, 0x3F] + [UInt8](repeating: 0, count: 28))
  }

  @Test(arguments: [(-1, UInt8(0x00)), (0, 0x55), (1, 0xAA)])
  func i2sUniform(trit: Int, byte: UInt8) throws {
    let bytes = try bytes(I2SPacking(), ternary(1, 128) { _, _ in trit })
    #expect(bytes.prefix(32).allSatisfy { $0 == byte })
  }

  @Test(arguments: [(0, 0, UInt8(0x95)), (31, 31, 0x95), (32, 0, 0x65), (127, 31, 0x56)])
  func i2sSingle(column: Int, at: Int, byte: UInt8) throws {
    let bytes = try bytes(I2SPacking(), ternary(1, 128) { $1 == column ? 1 : 0 })
    for index in 0..<32 { #expect(bytes[index] == (index == at ? byte : 0x55)) }
  }

  // MARK: Groups of 64 and 128

  /// w[j] = ((j mod 3) − 1) · 0.5, and 0.5 in float16 is 00 38: bytes of PrismML's and llama.cpp's
  /// layouts, checked with their decoders.
  @Test func groupBlocks() throws {
    let three: [UInt8] = [0x24, 0x49, 0x92]
    func cycle(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
      (0..<count).map { bytes[$0 % bytes.count] }
    }
    let weights64 = ternary(1, 64, scale: 0.5) { $1 % 3 - 1 }
    let weights = ternary(1, 128, scale: 0.5) { $1 % 3 - 1 }
    #expect(try bytes(Q2Packing(), weights64) == [0x00, 0x38] + cycle(three, 16))
    #expect(try bytes(PQ2Packing(), weights) == [0x00, 0x38] + cycle(three, 32))
    #expect(
      try bytes(PTQ1Packing(), weights)
        == cycle([0x31, 0x94, 0xbb], 16) + cycle([0xcf, 0x45, 0x6c], 8) + [0x43, 0x6c, 0x00, 0x38])
    #expect(
      try bytes(Q1Packing(), ternary(1, 128, scale: 0.5) { $1 % 3 == 0 ? -1 : 1 })
        == [0x00, 0x38] + cycle([0xb6, 0x6d, 0xdb], 16))
  }

  /// A single +1 among zeros: the byte that changes.
  @Test(arguments: [
    (0, 2, UInt8(0x56), 0, UInt8(0xd5)), (1, 2, 0x59, 1, 0xd5), (4, 3, 0x56, 4, 0xd5),
    (16, 6, 0x56, 0, 0x9c), (79, 21, 0x95, 15, 0x81), (80, 22, 0x56, 16, 0xd5),
    (119, 31, 0x95, 23, 0x81), (120, 32, 0x56, 24, 0xd4), (121, 32, 0x59, 25, 0xd4),
    (127, 33, 0x95, 25, 0x82),
  ]) func groupSingle(column: Int, two: Int, code: UInt8, base3: Int, digits: UInt8) throws {
    let weights = ternary(1, 128) { $1 == column ? 1 : 0 }
    let twoBits = try bytes(PQ2Packing(), weights)
    for index in 2..<34 { #expect(twoBits[index] == (index == two ? code : 0x55)) }
    let fractions = try bytes(PTQ1Packing(), weights)
    for index in 0..<26 {
      #expect(fractions[index] == (index == base3 ? digits : index < 24 ? 0x80 : 0x7f))
    }
  }

  /// Code 3 is +2 to llama.cpp: refused by place, not taken for 0.
  @Test func groupCodeThreeIsRefused() throws {
    var bytes = try bytes(PQ2Packing(), ternary(2, 256) { _, _ in 0 })
    bytes[34 * 3 + 2 + 7] = 0x5d
    let error = #expect(throws: LabError.self) {
      try bytes.withUnsafeBytes {
        _ = try PQ2Packing().read($0, rows: 2, columns: 256, scales: nil)
      }
    }
    #expect(error?.place == "row 1, column \(128 + 29)" && error?.what.contains("+2") == true)
  }

  @Test func signsHaveNoZero() throws {
    let error = #expect(throws: LabError.self) {
      try Q1Packing().pack(self.ternary(1, 128) { $1 == 5 ? 0 : 1 })
    }
    #expect(error?.place == "row 0, column 5")
    let violations = checkPacking(Q1Packing())
    #expect(violations.isEmpty, "\(violations)")
  }

  /// Worked bytes of bitnet.cpp's ARM layout: −1, 0, +1, … in two blocks of 64.
  @Test func i2sOtherLayouts() throws {
    let weights = ternary(1, 128, scale: 1.5) { $1 % 3 - 1 }
    let own = try bytes(I2SPacking(), weights)
    let arm: [UInt8] =
      (0..<16).map { [0x18, 0x61, 0x86][$0 % 3] } + (0..<16).map { [0x61, 0x86, 0x18][$0 % 3] }
      + own[32...]
    let read = try arm.withUnsafeBytes { try I2SPacking.fromBlocks64($0, rows: 1, columns: 128) }
    #expect(read.elements == own)
    // Four rows: byte k holds column k of each, the first in the top bits.
    let four = ternary(4, 128, scale: 1.5) { ($0 + $1) % 3 - 1 }
    let canonical = try bytes(I2SPacking(), four)
    let interleaved: [UInt8] =
      (0..<128).map { k in (0..<4).reduce(UInt8(0)) { $0 << 2 | UInt8(($1 + k) % 3) } }
      + canonical[128...]
    let rows = try interleaved.withUnsafeBytes {
      try I2SPacking.fromFourRows($0, rows: 4, columns: 128)
    }
    #expect(rows.elements == canonical)
  }

  @Test func i2sSizes() {
    #expect(I2SPacking().byteCount(rows: 2560, columns: 2560) == 1_638_432)
    #expect(I2SPacking().byteCount(rows: 6912, columns: 2560) == 4_423_680 + 32)
    #expect(I2SPacking().byteCount(rows: 640, columns: 2560) == 409_600 + 32)
    #expect(I2SPacking().byteCount(rows: .max, columns: .max) == .max / 4 + 32)
  }

  @Test func i2sIllegalCodeIsPlaced() throws {
    var bytes = try bytes(I2SPacking(), ternary(2, 256) { _, _ in 0 })
    // Row 1 starts at byte 64; its second block at 96; bits 5:4 of byte 5 are column 128 + 32 + 5.
    bytes[96 + 5] = 0x75
    let error = #expect(throws: LabError.self) {
      try bytes.withUnsafeBytes {
        _ = try I2SPacking().read($0, rows: 2, columns: 256, scales: nil)
      }
    }
    #expect(error?.kind == .badData)
    #expect(error?.place == "row 1, column 165")
    #expect(error?.what.contains("code 3") == true)
  }

  @Test func i2sTailScaleAndGarbageAreRead() throws {
    var bytes = try bytes(I2SPacking(), ternary(1, 128, scale: 0.75) { $1 % 2 })
    for index in 36..<64 { bytes[index] = 0xEE }
    let read = try bytes.withUnsafeBytes {
      try I2SPacking().read($0, rows: 1, columns: 128, scales: nil)
    }
    #expect(read.scales == [0.75])
    withExtendedLifetime(read) { #expect($0.bytes.buffer[36...].allSatisfy { $0 == 0 }) }
    for index in 32..<36 { bytes[index] = 0xFF }
    #expect(throws: LabError.self) {
      try bytes.withUnsafeBytes {
        _ = try I2SPacking().read($0, rows: 1, columns: 128, scales: nil)
      }
    }
  }

  @Test func tl1Address() throws {
    let packing = TL1Packing(tiling: TL1Tiling(rowTile: 256, columnTile: 128, innerRows: 32))
    let weights = ternary(1536, 4096, scale: 2) { row, column in
      row == 37 ? [20: 1, 21: -1, 23: 1][column] ?? 0 : 0
    }
    let bytes = try bytes(packing, weights)
    // Zero weights have the index 4.
    #expect(bytes[1173] == 0x65)
    #expect(bytes.prefix(1536 * 1024).filter { $0 != 0x44 }.count == 1)
    #expect(Array(bytes[(1536 * 1024)...].prefix(5)) == [0, 0, 0, 0x40, 0])
    #expect(bytes.count == 1536 * 1024 + 32)
    // The tiles that bitnet.cpp uses for this shape are the same.
    #expect(
      try TL1Packing().tiling(rows: 1536, columns: 4096)
        == packing.tiling(rows: 1536, columns: 4096))
  }

  @Test func tl1Table() {
    let x = QuantizedRows(capacity: 1, columns: 8)
    defer { withExtendedLifetime(x) {} }
    x.begin(rows: 1, form: .int8)
    x.row(0)[0] = 5
    x.row(0)[1] = -3
    guard let layer = try? TL1Kernel(.scalar).prepare(ternary(32, 8) { _, _ in 1 }),
      let layout = layer.inputLayout
    else {
      Issue.record("32 × 8 is legal")
      return
    }
    #expect(layout.byteCount(rows: 1, columns: 8) == 16 * 8)
    let table = x.built(layout).assumingMemoryBound(to: UInt8.self)
    let high = Array(UnsafeBufferPointer(start: table, count: 9))
    let low = Array(UnsafeBufferPointer(start: table + 16, count: 9))
    #expect(high == [0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0, 0, 0])
    #expect(low == [0xFE, 0xFB, 0xF8, 3, 0, 0xFD, 8, 5, 2])
  }

  @Test func tl2Address() throws {
    let packing = TL2Packing()
    let tiling = try packing.tiling(rows: 1536, columns: 4096)
    #expect(tiling.tripleColumns == 4032 && tiling.pairColumns == 64)
    let zero = try bytes(packing, ternary(1536, 4096) { _, _ in 0 })
    let plus = try bytes(
      packing, ternary(1536, 4096) { $0 == 300 ? [300: 1, 301: -1][$1] ?? 0 : 0 })
    let minus = try bytes(
      packing, ternary(1536, 4096) { $0 == 300 ? [300: -1, 301: 1][$1] ?? 0 : 0 })
    #expect(zero.indices.filter { zero[$0] != plus[$0] } == [184_916])
    #expect(plus[184_916] == 0x60 && minus[184_916] == 0x60)
    // Sign word 46232 of the plane S, bit 7.
    let sign = 1536 * 4032 / 6 + 46_232
    #expect(plus.indices.filter { plus[$0] != minus[$0] } == [sign])
    #expect(minus[sign] == 0x80)
  }

  @Test func tl2Table() {
    let x = QuantizedRows(capacity: 1, columns: 96)
    defer { withExtendedLifetime(x) {} }
    x.begin(rows: 1, form: .int8)
    for (column, value) in [Int8(5), -3, 7].enumerated() { x.row(0)[column] = value }
    guard let layer = try? TL2Kernel(.scalar).prepare(ternary(32, 96) { _, _ in 1 }),
      let layout = layer.inputLayout
    else {
      Issue.record("32 × 96 is legal")
      return
    }
    let table = x.built(layout).assumingMemoryBound(to: UInt8.self)
    let entries = (0..<16).map {
      Int16(bitPattern: UInt16(table[$0]) | UInt16(table[16 + $0]) << 8)
    }
    #expect(entries == [0, 7, -10, -3, 4, 1, 8, 15, -2, 5, 12, -5, 2, 9, 0, 0])
  }

  @Test(
    arguments: [
      (3200, 8640, 8640, 5_794_176), (3200, 3200, 3168, 2_167_520), (8640, 3200, 3168, 5_852_192),
      (1536, 4096, 4032, 1_327_136), (1536, 1536, 1536, 507_936), (4096, 1536, 1536, 1_354_464),
      (14336, 4096, 4032, 12_386_336), (4096, 14336, 14304, 12_277_120),
      (1024, 4096, 4032, 884_768), (4096, 4096, 4032, 3_538_976),
    ])
  func tl2Sizes(rows: Int, columns: Int, triples: Int, size: Int) throws {
    #expect(TL2Packing().byteCount(rows: rows, columns: columns) == size)
    #expect(try TL2Packing().tiling(rows: rows, columns: columns).tripleColumns == triples)
  }

  @Test func tl2TakesEveryMultipleOf24And32() {
    for columns in 1...2000 where columns % 32 == 0 || columns % 24 == 0 {
      let tiling = try? TL2Packing().tiling(rows: 64, columns: columns)
      let used = tiling.map { $0.rows * $0.tripleColumns * 5 / 24 + $0.rows * $0.pairColumns / 4 }
      #expect((used ?? .max) <= TL2Packing().byteCount(rows: 64, columns: columns) - 32)
    }
  }

  @Test func tq2Block() throws {
    let bytes = try bytes(TQ2Packing(), ternary(1, 256, scale: 1.5) { $1 % 3 - 1 })
    // Byte 0: weights 0, 32, 64, 96 have the codes 0, 2, 1, 0, the first in the low bits.
    #expect(bytes[0] == 0b00_01_10_00)
    #expect(bytes.count == 66 && bytes[64] == 0x00 && bytes[65] == 0x3E)
  }

  @Test func tq1Block() throws {
    let weights = ternary(1, 256, scale: 0.5) { $1 < 160 && $1 % 32 == 0 ? 1 : 0 }
    let bytes = try bytes(TQ1Packing(), weights)
    // Digits 2 2 2 2 2 make 242, and ⌈256 · 242 / 243⌉ = 255; digits of one make 121 and 128.
    #expect(bytes[0] == 255)
    #expect(bytes[1...47].allSatisfy { $0 == 128 })
    // Four digits of one and a zero: 120, and ⌈256 · 120 / 243⌉ = 127.
    #expect(bytes[48...51].allSatisfy { $0 == 127 })
    #expect(bytes.count == 54 && bytes[52] == 0x00 && bytes[53] == 0x38)
  }

  @Test func base3Bytes() throws {
    let bytes = try bytes(Base3Packing(), ternary(2, 6) { $0 == 0 ? 1 : $1 % 3 - 1 })
    // Row 0: 2 2 2 2 2 = 242, then 2 and four ones = 2 · 81 + 40. Row 1: 0 1 2 0 1 = 46, 2 1 1 1 1.
    #expect(bytes == [242, 202, 46, 202])
  }

  @Test func nibbles() throws {
    let weights = QuantizedWeights.integer(
      IntegerMatrix(
        rows: 1, columns: 3, bits: 4, values: AlignedBuffer([-8, 7, -1] as [Int8]), scales: [1],
        granularity: .tensor))
    #expect(try bytes(Int4Packing(), weights) == [0x78, 0x0F])
    #expect(try bytes(Int8Packing(), weights) == [0xF8, 7, 0xFF])
  }
}

extension AlignedBuffer {
  /// All elements.
  fileprivate var elements: [Element] { withExtendedLifetime(self) { Array(buffer) } }
}
