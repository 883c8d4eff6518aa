internal import Foundation
internal import TritCore

/// Has gnuplot draw an image so that no half one stands under its name, whether the disk fills, gnuplot
/// fails or the run is killed: it draws under a hidden name, and what is whole is renamed.
enum ImageDrawing {
  private static let endings = ["gp", "svg", "png"]
  /// The type and checksum of a PNG's last chunk, IEND.
  private static let endOfPNG: [UInt8] = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]

  /// Runs `script`, which writes `.NAME.svg` and `.NAME.png`, in `folder`; the images are `NAME.svg` and
  /// `NAME.png` afterwards. Gives what went wrong, if anything did.
  static func draw(
    _ name: String, script: String, gnuplot: String, in folder: String
  ) throws -> String? {
    let hidden = "\(folder)/.\(name)"
    defer { removeHalf(name, in: folder) }
    try AtomicFile.write(script, to: hidden + ".gp")
    if let problem = ChildProcess.run(gnuplot, [".\(name).gp"], in: folder) {
      return "gnuplot failed: \(problem)"
    }
    for (ending, end) in [("svg", Array("</svg>".utf8)), ("png", endOfPNG)] {
      let bytes = FileManager.default.contents(atPath: "\(hidden).\(ending)") ?? Data()
      guard bytes.suffix(end.count + 8).firstRange(of: end) != nil else {
        return "gnuplot left half an image: is the disk full?"
      }
    }
    for ending in ["svg", "png"] {
      guard rename("\(hidden).\(ending)", "\(folder)/\(name).\(ending)") == 0 else {
        return "cannot rename the image: \(String(cString: strerror(errno)))"
      }
    }
    return nil
  }

  /// Removes the hidden files of `name`: a killed run leaves them.
  static func removeHalf(_ name: String, in folder: String) {
    for ending in endings { unlink("\(folder)/.\(name).\(ending)") }
  }
}
