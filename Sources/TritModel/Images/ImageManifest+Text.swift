import Foundation
import TritCore
import TritKernels

extension ImageManifest {
  /// From the text of an image; nil where it is not such a text.
  init?(_ text: String) {
    guard let value = try? JSONDecoder().decode(ImageManifest.self, from: Data(text.utf8)) else {
      return nil
    }
    self = value
  }

  /// As JSON on one line.
  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

extension KeptMemory {
  /// Sections as a manifest lists them. nil where the lists do not fit each other.
  init?(_ image: WeightImage, starts: [Int], sizes: [Int]) {
    guard starts.count == sizes.count,
      zip(starts, sizes).allSatisfy({ $0 >= 0 && $1 >= 0 && $0 <= Int.max - $1 })
    else { return nil }
    self.init(image, zip(starts, sizes).map { $0..<$0 + $1 })
  }
}
