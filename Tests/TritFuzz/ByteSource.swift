import TritLab

/// Reads choices and values from the bytes of an input, so that a fuzzer of bytes is one of
/// arguments too. When the bytes are used up, everything is 0.
struct ByteSource {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes that are left.
  var remaining: Int { bytes.count - position }

  mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func word() -> UInt32 { (0..<4).reduce(0) { value, _ in value << 8 | UInt32(byte()) } }

  mutating func long() -> UInt64 { UInt64(word()) << 32 | UInt64(word()) }

  /// A number in `0..<bound`.
  mutating func below(_ bound: Int) -> Int {
    bound <= 1 ? 0 : Int(bound <= 256 ? UInt32(byte()) : word()) % bound
  }

  /// A number in `range`.
  mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  mutating func flag() -> Bool { byte() & 1 == 1 }

  mutating func element<T>(of list: [T]) -> T { list[below(list.count)] }

  /// What is left, or the next `count` bytes.
  mutating func rest(atMost count: Int = .max) -> [UInt8] {
    let end = position + min(count, remaining)
    defer { position = end }
    return Array(bytes[position..<end])
  }

  /// Numbers as models have them, and the ones that break things.
  mutating func float() -> Float {
    let kind = byte()
    switch kind {
    case 0...199: return (Float(byte()) - 128) / Float(1 << (kind % 16))
    case 200: return .nan
    case 201: return .infinity
    case 202: return -.infinity
    case 203: return .greatestFiniteMagnitude
    case 204: return .leastNonzeroMagnitude
    case 205: return -0.0
    case 206: return 65_504
    case 207...215: return 0
    default: return Float(bitPattern: word())
    }
  }

  /// A value for a parameter, mostly a legal one.
  mutating func value(of parameter: ParameterDescriptor) -> ParameterValue {
    let kind = byte()
    if kind < 8 { return .integer(Int(truncatingIfNeeded: long())) }
    if kind < 12 { return .real(Double(float())) }
    if kind < 14 { return .text("x") }
    switch parameter.domain {
    case .integer(let range):
      switch kind % 8 {
      case 0: return .integer(range.lowerBound)
      case 1: return .integer(range.upperBound)
      case 2: return parameter.defaultValue
      default:
        let (span, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
        return .integer(range.lowerBound + below(overflow ? 1000 : min(span, 1000) + 1))
      }
    case .real(let range):
      switch kind % 8 {
      case 0: return .real(range.lowerBound)
      case 1: return .real(range.upperBound)
      case 2: return parameter.defaultValue
      default:
        let share = Double(byte()) / 255
        return .real(range.lowerBound * (1 - share) + range.upperBound * share)
      }
    case .choice(let words): return .text(element(of: words))
    case .flag: return .flag(flag())
    case .text: return .text("text")
    }
  }

  /// A choice out of `registry`, with parameters.
  mutating func choice<Product>(of registry: Registry<Product>) -> StageChoice {
    let descriptor = element(of: registry.descriptors)
    var choice = StageChoice(descriptor.name)
    for parameter in descriptor.parameters where flag() {
      choice.parameters[parameter.name] = value(of: parameter)
    }
    return choice
  }
}
