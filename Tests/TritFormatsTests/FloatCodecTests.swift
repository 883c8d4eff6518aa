import Testing
import TritLab
import _TritTestSupport

@Suite struct FloatCodecTests {
  /// Multiples of 1/256 between about ±3.9 from a linear congruence that a Python script can
  /// repeat.
  static func values(_ count: Int, seed: Int) -> AlignedBuffer<Float> {
    var state = seed
    return AlignedBuffer(
      (0..<count).map { _ in
        state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff
        return Float((state >> 8) % 2001 - 1000) / 256
      })
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func digest(_ values: AlignedBuffer<Float>) -> String {
    values.elements.withUnsafeBytes { SHA256.hex($0) }
  }

  static func decode(_ bytes: [UInt8], _ type: TensorType, count: Int) throws -> AlignedBuffer<
    Float
  > {
    let info = TensorInfo(name: "x", type: type, shape: [count], byteCount: bytes.count)
    return try bytes.withUnsafeBytes { try FloatDecoding.decode($0, info: info, path: "f") }
  }

  /// Bytes that gguf-py 0.19 gives for `values(64, seed: 7)`.
  @Test(arguments: [
    (
      TensorType.q8_0,
      "ad277e15f3677812e3b215ab115c5bc369d156cc8aedc92056d5427f65608cb72d2a3a2784086896eb9000e9684a78"
        + "a68375b16ccbd60cf0f27fc39c03ab4eee4ce27f21"
    ),
    (
      .q4_0,
      "9eb730b7f991b0673abd470d2722f2dc515b2cb7bfb7719f990fc8e981d3309e3fa10d61"
    ),
  ]) func blocksAreThoseOfGGML(type: TensorType, expected: String) throws {
    let bytes = try FloatEncoding.encode(Self.values(64, seed: 7), as: type)
    #expect(Self.hex(bytes) == expected)
  }

  /// SHA-256 of gguf-py's bytes, and of its dequantized float32, for 131,072 values.
  @Test(arguments: [
    (
      TensorType.q8_0, "c7dce65a23a16bf2bfeecce750a10b624d1a26a4833f747a4cb98027771c8b7c",
      "19e27ceb2625f173ffff5786fb716872b5a7549bd6834157c8f76ec04de44f96"
    ),
    (
      .q4_0, "823076f9b110bddfff1841215bd1b748ad63f11bcddb604a31e69195f393a723",
      "ac2ebb56c5084f494b7912979cea17cdea04a9d845219e5ed414d366a16924cc"
    ),
  ]) func manyBlocksAreThoseOfGGML(type: TensorType, encoded: String, decoded: String) throws {
    let values = Self.values(32 * 4096, seed: 99)
    let bytes = try FloatEncoding.encode(values, as: type)
    #expect(bytes.withUnsafeBytes { SHA256.hex($0) } == encoded)
    #expect(Self.digest(try Self.decode(bytes, type, count: values.count)) == decoded)
  }

  /// A Q6_K block of arbitrary bytes, decoded by gguf-py.
  @Test func q6DecodesAsGGML() throws {
    var state = 5
    var bytes = (0..<210).map { _ in
      state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff
      return UInt8(state >> 16 & 255)
    }
    bytes[208] = 0x66
    bytes[209] = 0x2e
    let values = try Self.decode(bytes, .q6_k, count: 256)
    #expect(values[0] == 10.697388 && values[255] == 254.93774)
    #expect(
      Self.digest(values)
        == "45325b291a9fe0086000dd91c4b5b1ecb396ab88912517cb3fb00f2ff0fc6bd4")
  }

  /// With 6 bits and a scale per 16 values in ±3.9, the root mean square error of uniform values is
  /// near step / √12 with step = 3.9 / 32; a wrong layout would give an error near 2.
  /// Blocks of arbitrary bytes, decoded by gguf-py 0.19: byte i is 37 i + 11 mod 256, but for the
  /// two float16 at the start, 0.5 and 0.1.
  @Test(arguments: [
    (
      TensorType.q4_k, 144,
      [
        165.4012451171875, -5.0987548828125, 87.9012451171875, 7.6005859375, 23.6005859375,
        219.4014892578125, 52.600830078125, 45.600830078125, 213.30029296875, 115.80029296875,
        267.000732421875, 71.8004150390625, 29.5008544921875,
      ], 28487.40625
    ),
    (
      TensorType.q5_k, 176,
      [
        413.4012451171875, -5.0987548828125, 87.9012451171875, 59.6005859375, 43.6005859375,
        219.4014892578125, 122.600830078125, 3.600830078125, 525.30029296875, 427.80029296875,
        87.000732421875, 71.8004150390625, 59.5008544921875,
      ], 59375.40625
    ),
  ])
  func kQuantsDecodeAsGGML(type: TensorType, size: Int, some: [Double], sum: Double) throws {
    let places = [0, 1, 31, 32, 63, 64, 100, 127, 128, 159, 160, 200, 255]
    let bytes =
      [0x00, 0x38, 0x66, 0x2e] + (4..<size).map { UInt8(truncatingIfNeeded: 37 * $0 + 11) }
    let values = try Self.decode(bytes, type, count: 256)
    #expect(places.map { Double(values[$0]) } == some)
    #expect(values.elements.reduce(0) { $0 + Double($1) } == sum)
  }

  @Test func q6EncodesWell() throws {
    let values = Self.values(256 * 64, seed: 3)
    let bytes = try FloatEncoding.encode(values, as: .q6_k)
    let decoded = try Self.decode(bytes, .q6_k, count: values.count)
    let error = zip(values.elements, decoded.elements).reduce(0.0) {
      $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
    }
    let rms = (error / Double(values.count)).squareRoot()
    #expect(rms < 3.9 / 32 / 12.0.squareRoot() * 1.05)
    let zeros = try FloatEncoding.encode(AlignedBuffer<Float>(count: 256), as: .q6_k)
    #expect(zeros.allSatisfy { $0 == 0 })
  }

  /// Swift's own conversions are the oracle, for all 65,536 codes and for the values around and
  /// between.
  @Test func float16IsExactAndRoundsToNearest() {
    for bits in UInt16.min...UInt16.max {
      let half = Float16(bitPattern: bits)
      let float = FloatDecoding.float16(bits)
      if half.isNaN {
        #expect(float.isNaN && Float16(bitPattern: FloatEncoding.float16(float)).isNaN)
        continue
      }
      #expect(float == Float(half) && FloatEncoding.float16(float) == bits)
      let middle = (float + Float(half.nextUp)) / 2
      for value in [middle, middle.nextUp, middle.nextDown, float.nextUp, float.nextDown] {
        #expect(FloatEncoding.float16(value) == Float16(value).bitPattern || value.isNaN)
      }
    }
  }

  @Test func bfloat16RoundsToNearestEven() {
    let cases: [(UInt32, UInt16)] = [
      (0x3f80_0000, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f81_8000, 0x3f82), (0x3f80_8001, 0x3f81),
      (0x7f7f_ffff, 0x7f80), (0x7f80_0000, 0x7f80), (0xff80_0001, 0xffc0), (0x8000_0000, 0x8000),
    ]
    for (bits, expected) in cases {
      #expect(FloatEncoding.bfloat16(Float(bitPattern: bits)) == expected)
    }
  }

  @Test func plainTypesDecode() throws {
    func bytes<Number: BitwiseCopyable>(_ numbers: [Number]) -> [UInt8] {
      numbers.withUnsafeBytes { Array($0) }
    }
    let cases: [(TensorType, [UInt8])] = [
      (.f32, bytes([Float(1), 2])), (.f64, bytes([1.0, 2.0])), (.i8, bytes([Int8(1), 2])),
      (.i16, bytes([Int16(1), 2])), (.i32, bytes([Int32(1), 2])), (.i64, bytes([Int64(1), 2])),
      (.u8, [1, 2]), (.u16, bytes([UInt16(1), 2])), (.u32, bytes([UInt32(1), 2])),
      (.u64, bytes([UInt64(1), 2])), (.f16, bytes([UInt16(0x3c00), 0x4000])),
      (.bf16, bytes([UInt16(0x3f80), 0x4000])),
    ]
    for (type, data) in cases {
      #expect(try Self.decode(data, type, count: 2).elements == [1, 2], "\(type)")
      // The same from an odd address.
      let shifted = [0] + data
      let target = AlignedBuffer<Float>(count: 2)
      let known = try shifted.withUnsafeBytes {
        try FloatDecoding.decode(
          UnsafeRawBufferPointer(rebasing: $0[1...]), as: type, to: target.mutableBuffer)
      }
      #expect(known && target.elements == [1, 2], "\(type)")
    }
  }

  @Test(arguments: [TensorType.i2_s, .tl1, .tl2, .tq1_0, .tq2_0, .q1_0, .q2_0, .pq2_0, .ptq1_0])
  func tritsAreNotFloats(type: TensorType) {
    #expect {
      try Self.decode([UInt8](repeating: 0, count: 66), type, count: 256)
    } throws: { error in "\(error)".contains("trits") && "\(error)".contains(type.name) }
  }

  @Test(arguments: [TensorType.q8_0, .q4_0, .q6_k], [Float.nan, .infinity, -.infinity, 3e38])
  func blocksRefuseWhatTheyCannotHold(type: TensorType, value: Float) {
    let values = AlignedBuffer<Float>(count: 256)
    values[100] = value
    #expect(throws: LabError.self) { try FloatEncoding.encode(values, as: type) }
  }

  /// Scales below float16's range give zeros, not traps.
  @Test(arguments: [TensorType.q8_0, .q4_0, .q6_k], [Float(1e-45), 1e-38, 1e-20, 1e-7])
  func tinyValuesEncode(type: TensorType, value: Float) throws {
    let values = AlignedBuffer<Float>((0..<256).map { $0.isMultiple(of: 3) ? value : -value })
    let bytes = try FloatEncoding.encode(values, as: type)
    let decoded = try Self.decode(bytes, type, count: 256)
    #expect(decoded.elements.allSatisfy { $0.magnitude <= 2 * value + 1e-7 })
  }
}

extension AlignedBuffer {
  /// A copy; the buffer lives while it is made.
  var elements: [Element] { withExtendedLifetime(self) { Array(buffer) } }
}
