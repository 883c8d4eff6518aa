extension Lab {
  /// Keys of experiment files and of their variants that are no stages.
  package static let fileKeys: Set<String> = [
    "base", "baseline", "context", "description", "design", "detect", "i2s-layout", "layers",
    "measure", "model", "name", "plots", "plugins",
    "records", "reference", "sampler", "seed", "sweep", "threads", "tokenizer", "training-seed",
    "variants",
  ]

  /// Options of the command that are no stages, by every spelling. The command is not known here: a
  /// test compares the list with the tables of its subcommands.
  package static let optionNames: Set<String> = [
    "--against", "--allow-missing", "--allow-plugins", "--apply-chat-template", "--baseline",
    "--batch-size", "--bootstrap-iters", "--bos", "--brief", "--budget", "--cache-type-v", "--chat",
    "--chat-template-file", "--check", "--chunks", "--color", "--columns", "--config",
    "--conversation", "--ctx-size", "--data", "--data-dir", "--delay", "--display-name",
    "--display-prompt", "--dry-allowed-length", "--dry-base", "--dry-multiplier",
    "--dry-penalty-last-n", "--dry-sequence-breaker", "--embedding", "--emit", "--escape",
    "--family", "--fewshot", "--fewshot-as-multiturn", "--fewshot-data", "--fewshot-seed",
    "--figures", "--file", "--force",
    "--frequency-penalty", "--from", "--gpu-layers", "--group", "--help", "--i2s-layout", "--ids",
    "--ignore-eos", "--index", "--jinja", "--jobs", "--json", "--keep-going", "--kl-divergence",
    "--kl-divergence-base", "--language", "--large", "--layers", "--like", "--limit", "--list",
    "--log-samples", "--logit-bias", "--min-p", "--mirostat", "--mirostat-ent", "--mirostat-lr",
    "--mlock", "--model", "--models", "--multiple-choice", "--multiple-choice-tasks", "--n-depth",
    "--n-gen", "--n-gpu-layers", "--n-predict", "--n-prompt", "--name", "--no-generation-prompt",
    "--no-image-cache", "--no-mmap", "--no-run", "--no-tokenizer", "--no-warmup", "--now",
    "--num-fewshot", "--of", "--only", "--output", "--output-err", "--output-tensor-type",
    "--outtype", "--parse-special", "--plugin", "--plugin-timeout", "--poll", "--pooling",
    "--ppl-stride", "--prefix", "--presence-penalty", "--preset", "--prompt", "--protocol",
    "--quiet", "--reference", "--remove", "--repeat-last-n", "--repeat-penalty", "--repetitions",
    "--restart", "--reverse-prompt", "--rows", "--runs", "--samplers", "--samples",
    "--save-all-logits", "--seed", "--set", "--shape", "--shard", "--single-turn", "--special",
    "--split", "--stop", "--stride", "--sys-prefix", "--system-instruction", "--system-prompt",
    "--tasks", "--temp", "--temperature", "--template", "--template-name", "--tensors", "--threads",
    "--threads-batch", "--timeout", "--times", "--token-embedding-type", "--tokenizer", "--tokens",
    "--tolerance", "--top-k", "--top-p", "--type", "--typical", "--ubatch-size", "--update",
    "--user", "--verbose", "--version", "--warm", "--xtc-probability", "--xtc-threshold", "--zeros",
    "-b", "-c", "-cnv", "-ctv", "-d", "-e", "-f", "-fa", "-h", "-j", "-l", "-m", "-mmp", "-n",
    "-ngl", "-o", "-oe", "-p", "-pg", "-q", "-r", "-s", "-st", "-sys", "-t", "-tb", "-temp", "-ub",
    "-v",
  ]

  /// Throws a usage error where a kind's key or one of its flags means something else already.
  func checkKey(_ key: StageKey, flags: [String]) throws {
    let letters = key.rawValue.utf8
    let isGood =
      (1...32).contains(letters.count)
      && letters.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-")
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      } && letters.first != UInt8(ascii: "-")
    guard isGood else {
      throw LabError(
        .usage, "'\(key.rawValue)' is no key for a kind of stage",
        expected: "1 to 32 small letters, digits and '-', since it is a flag and a key of files",
        code: .badName)
    }
    func refused(_ name: String, _ whose: String) -> LabError {
      LabError(
        .usage, "the kind of stage '\(key.rawValue)' cannot have the name '\(name)'",
        expected: "a name of its own", got: whose, advice: "give the kind another key or flag",
        code: .duplicateName)
    }
    if Self.fileKeys.contains(key.rawValue), kind(key) == nil {
      throw refused(key.rawValue, "a key of experiment files")
    }
    for flag in flags + ["--\(key.rawValue)"] {
      if Self.optionNames.contains(flag) { throw refused(flag, "an option of the command") }
      let other = kinds.first {
        $0.key != key && ($0.flags + ["--\($0.key.rawValue)"]).contains(flag)
      }
      if let other { throw refused(flag, "the flag of the \(other.stage)") }
    }
  }
}
