import Testing
import TritEvaluation
import TritLab

/// What Python 3.11 does with texts and numbers, by which prompts of the harness are made.
@Suite struct PythonTests {
  @Test func capitalizeIsTitleCaseAndThenLowerCase() {
    for (text, expected) in [
      ("", ""), ("ΟΔΟΣ ΣΑΣ", "Οδος σας"), ("ǆUNGLA", "ǅungla"), ("İSTANBUL", "İstanbul"),
      ("ßABC", "Ssabc"), ("ﬁSH", "Fish"), ("AΣ'B Σ", "Aσ'b σ"), ("Σ", "Σ"), ("aΣ", "Aς"),
      ("aΣ'", "Aς'"), ("aΣ\u{301}b", "Aσ\u{301}b"), ("éA", "Éa"), ("ŉX", "\u{2BC}Nx"),
      ("hello World", "Hello world"), ("e\u{301}A", "E\u{301}a"),
    ] {
      #expect(ExactString(PythonText.capitalized(text)) == ExactString(expected), "\(text)")
    }
  }

  @Test func whiteSpaceIsPythons() {
    // str.strip takes the separators U+001C to U+001F and the no-break space, but no zero-width
    // space.
    #expect(PythonText.stripped("\u{1C}\u{A0} a\u{200B}\u{3000}\r\n") == "a\u{200B}")
    #expect(PythonText.strippedInFront(" a ") == "a " && PythonText.strippedBehind(" a ") == " a")
    #expect(PythonText.stripped(" \n") == "")
    // len(re.split(r"\s+", text))
    for (text, count) in [("", 1), ("a", 1), (" a ", 3), ("a b\n\nc", 3), ("\u{1F}", 2), (" ", 2)] {
      #expect(PythonText.fieldCount(text) == count, "\(text)")
    }
  }

  @Test func textIsReplacedFromTheLeft() {
    #expect(PythonText.replaced("aaa", "aa", "b") == "ba")
    #expect(ExactString(PythonText.replaced("e\u{301}e", "e", "é")) == ExactString("é\u{301}é"))
    #expect(PythonText.withoutBrackets("a [b [c] d] [e\nf] []") == "a  d] [e\nf] ")
    #expect(PythonText.withoutLastWord("a b") == ("a", "b"))
    #expect(PythonText.withoutLastWord("ab") == ("", "ab"))
    #expect(PythonText.withoutLastWord("a  ") == ("a ", ""))
  }

  /// Expected: `preprocess_wikitext.wikitext_detokenizer` of lm-evaluation-harness 0.4.13.
  @Test func wikitextIsDetokenized() {
    for (page, text) in [
      (
        "the dogs ' ball @-@ 1 @,@ 2 @.@ 3 : a ; b . c ! d ? e , f",
        "the dogs' ball-1,2.3: a; b. c! d? e, f"
      ),
      ("( a ( b ) c ) [ x\n y ] {  } ( open", "(a ( b) c ) [x\ny] {} ( open"),
      ("\" a \" b \" c", "\"a\" b \" c"), ("' a ' 's x", "'a''s x"), ("/' 7/", "/'[0-9]/"),
      ("= = = = = = = ° C 5 ° C N N N", "=======°C 5°C 1 N N"), (" \n \n x", "\n\nx"),
    ] {
      #expect(WikitextDetokenizer.text(of: page) == text, "\(page)")
    }
  }

  /// Expected: `random.Random(seed)` of CPython 3.11.
  @Test func drawsArePythons() {
    var random = PythonRandom(seed: 1234)
    #expect(random.sample(3, of: 10) == [7, 1, 0])
    #expect(random.sample(5, of: 100) == [11, 74, 4, 85, 88])
    // On both sides of the size from which a set is kept: 21 + 4 ** 3.
    #expect(random.sample(6, of: 85) == [10, 12, 45, 30, 2, 3])
    #expect(random.sample(6, of: 86) == [2, 44, 82, 79, 61, 78])
    #expect(
      random.sample(30, of: 1000) == [
        474, 152, 93, 187, 730, 117, 865, 14, 515, 498, 901, 988, 255, 66, 683, 554, 934, 477, 70,
        615, 691, 91, 527, 592, 47, 276, 844, 569, 64, 660,
      ])
    #expect(random.real() == 0.30242905379113827)
    var indices = [Int](repeating: 0, count: 7)
    random.resample(7, into: &indices)
    #expect(indices == [5, 1, 4, 1, 6, 4, 6])
    random = PythonRandom(seed: 0)
    #expect(random.real() == 0.8444218515250481 && random.word() == 3_255_389_356)
    random = PythonRandom(seed: 1 << 40 + 5)
    #expect(random.real() == 0.5043802970418443)
    #expect(random.sample(5, of: 21) == [8, 0, 16, 1, 5])
    #expect(random.sample(5, of: 22) == [2, 4, 7, 20, 21])
  }
}
