import Foundation

/// The sizes of the data caches that one core sees, in bytes.
public struct CacheSizes: Sendable, Hashable {
  /// First level, of one core.
  public var l1: Int
  /// Second level, of one core (or the cores that share it).
  public var l2: Int
  /// Last level, shared; 0 where there is none.
  public var l3: Int

  /// Sizes as given.
  public init(l1: Int, l2: Int, l3: Int) {
    self.l1 = l1
    self.l2 = l2
    self.l3 = l3
  }

  /// What Linux says of the first core under /sys; typical sizes where it says nothing.
  public static let here: CacheSizes = {
    var sizes = CacheSizes(l1: 32 << 10, l2: 1 << 20, l3: 16 << 20)
    let folder = "/sys/devices/system/cpu/cpu0/cache/"
    func text(_ name: String) -> String? {
      (try? String(contentsOfFile: folder + name, encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard text("index0/size") != nil else { return sizes }
    var found: [Int: Int] = [:]
    for index in 0..<8 {
      guard let level = text("index\(index)/level").flatMap({ Int($0) }),
        let type = text("index\(index)/type"), type != "Instruction",
        let size = text("index\(index)/size"), let bytes = Self.bytes(size)
      else { continue }
      found[level] = bytes
    }
    sizes.l1 = found[1] ?? sizes.l1
    sizes.l2 = found[2] ?? sizes.l2
    sizes.l3 = found[3] ?? 0
    return sizes
  }()

  /// The size of the largest cache.
  public var last: Int { max(l1, l2, l3) }

  /// `48K`, `32M`.
  private static func bytes(_ text: String) -> Int? {
    let factor =
      switch text.last {
      case "K": 1 << 10
      case "M": 1 << 20
      case "G": 1 << 30
      default: 1
      }
    let digits = text.prefix { $0.isNumber }
    guard let number = Int(digits), (1...(1 << 20)).contains(number) else { return nil }
    return number * factor
  }
}
