/// The texts on which pre-tokenizers are compared with PyPI's `tokenizers`, made as
/// `Scripts/check_pretokenizers.py` makes them: 1 to 16 fragments each, drawn by SplitMix64.
enum GeneratedTexts {
  static let all: [String] = {
    var random = SplitMix64(state: 2026)
    return (0..<2000).map { _ in
      let count = 1 + random.next() % 16
      return (0..<count).map { _ in fragments[Int(random.next() % UInt64(fragments.count))] }
        .joined()
    }
  }()

  /// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
  private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let fragments: [String] = [
    "a", "Ab", "ABC", "hello", "World", "iPhone", "don", "'s", "'S", "'\u{017f}", "'t", "'T",
    "'re", "'RE", "'ve", "'Ve", "'m", "'M", "'ll", "'LL", "'d", "'D", "\u{02bc}s", "\u{2019}s",
    "'", "\"", " ", " ", " ", "  ", "   ", "     ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r",
    " \n", "\n ", "\u{00a0}", "\u{3000}", "\u{2028}", "\u{0085}", "1", "12", "123", "1234",
    "12345", "1234567", "12345678901", "0", "7", "\u{0663}\u{0664}", "\u{2167}", "\u{00bd}",
    "\u{00b2}", "\u{ff12}\u{ff13}", "\u{09e7}", "x2", "3D", ".", ",", "!", "?", "...", "?!", "-",
    "--", "_", "__", "/", "//", "\\", "$", "+", "=", "<", ">", "^", "~", "|", "`", "``", "#",
    "@", "&", "%", "*", "(", ")", "[", "]", "{", "}", ":", ";", "<|", "|>", "\u{2026}",
    "\u{2014}", "\u{00ab}", "\u{00bb}", "\u{201c}", "\u{201d}", "\u{20ac}", "\u{00a3}",
    "\u{00b0}", "\u{00d7}", "\u{2192}", "\u{3002}", "\u{ff0c}", "\u{3001}", "\u{ff01}",
    "\u{ff1a}", "\u{060c}", "\u{06d4}", "\u{0964}", "\u{4e2d}", "\u{6587}\u{5b57}",
    "\u{4e00}\u{4e8c}\u{4e09}", "\u{3400}", "\u{3007}", "\u{3005}",
    "\u{3072}\u{3089}\u{304c}\u{306a}", "\u{30ab}\u{30bf}\u{30ab}\u{30ca}\u{30fc}",
    "\u{ff76}\u{ff85}", "\u{d55c}\u{ad6d}\u{c5b4}", "\u{3131}", "\u{3105}\u{3106}",
    "\u{0e44}\u{0e17}\u{0e22}", "\u{0e20}\u{0e32}\u{0e29}\u{0e32}", "\u{0e81}\u{0eb2}",
    "\u{1780}\u{17b6}", "\u{1019}\u{103c}", "\u{0905}\u{0939}\u{093f}",
    "\u{09ac}\u{09be}\u{0982}\u{09b2}\u{09be}",
    "\u{0627}\u{0644}\u{0639}\u{0631}\u{0628}\u{064a}\u{0629}",
    "\u{05e9}\u{05dc}\u{05d5}\u{05dd}", "\u{00e9}", "e\u{0301}", "\u{0301}", "\u{0308}\u{0323}",
    "na\u{00ef}ve", "\u{00c9}COLE", "\u{00df}", "\u{00b5}", "\u{01c5}", "\u{02b0}", "\u{00aa}",
    "\u{0130}", "\u{0416}\u{0443}\u{043a}", "\u{041c}\u{041e}\u{0421}\u{041a}\u{0412}\u{0410}",
    "\u{0391}\u{03b2}\u{03b3}", "\u{0531}\u{0561}", "\u{10d0}\u{10d1}", "\u{13a0}",
    "\u{10400}\u{10428}", "\u{1d518}", "\u{20000}", "\u{1f680}", "\u{1f600}\u{1f601}",
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
    "\u{200d}", "\u{200b}", "\u{fe0f}", "\u{0001}", "\u{007f}", "\u{00ad}", "IMGIMGABZ",
    "<sentinel:12>", "cafe\u{0301}s", "I'm", "YOU'LL", "HTTPServer", "camelCase", "A1b2",
    "http://a.b/c?d=e", "e.g.",
  ]
}
