/// What `tokenizers` 0.23.3 (PyPI) makes of 2,000 generated texts: made by
/// `Scripts/check_pretokenizers.py`, which says how. Not to be edited.
enum PreTokenizerGolden {
  static let texts = "69fc21e0af689e2f97d9422d6b9724ee6b176bba80ee27d185f7b8ab45f8cc05"
  static let pieces: [(name: String, digest: String)] = [
    ("llama-bpe", "8543f5cf0f16d83059e0e7b5ee44dd6bd2ff849f077d4ff0f0ce0604f559d63a"),
    ("dbrx", "8543f5cf0f16d83059e0e7b5ee44dd6bd2ff849f077d4ff0f0ce0604f559d63a"),
    ("glm4", "8543f5cf0f16d83059e0e7b5ee44dd6bd2ff849f077d4ff0f0ce0604f559d63a"),
    ("qwen2", "71e498256b7bb0da660c0cec5d06f2ef49b9fe1ce9ce35b57c258e4e2ec8dead"),
    ("qwen35", "5ef45dc69a5c93548aad63320c714262bd2449d54223c596fc02e0068f68d14c"),
    ("ufakzeka", "674f2053b3c9510066a37d3461923374a0aab244d312b4c73275771ca324eab4"),
    ("laguna", "11f7f72c5c3ca4a55138a5d2a22d32e58c4fb20cd5920cddba62ff15fbb3a547"),
    ("minicpm5", "876cd21a50cf72d5af3bc40bde0f1bec5f657e1378427422baf3a1bca87b7a3b"),
    ("jais-2", "e9c645667a1de7909d5ce282c51d5027e513a92280354a299a769d11d1d7911c"),
    ("seed-coder", "4de55075671c9bd58db805d2dab6616990d4e86ee62165de5449360bfc8c69e3"),
    ("bailingmoe", "71e498256b7bb0da660c0cec5d06f2ef49b9fe1ce9ce35b57c258e4e2ec8dead"),
    ("exaone-moe", "20d2f18a0b69688aad4cf2767bea29ce8faa70bc1c6e6dbbaf89f8eccc7eaae7"),
    ("gpt-4o", "d09b8388269247ce0ef275b8d849c5cc4b1abd5d616d5824c021cbe2d4610160"),
    ("granite-embed-multi-97m", "d09b8388269247ce0ef275b8d849c5cc4b1abd5d616d5824c021cbe2d4610160"),
    ("tekken", "2370c254ba9d52fa3bccc089d1f52f7048bfd1fd0bcb6fe3cc481cfcee83f871"),
    ("tiny_aya", "7137f958c5a63e0c53b59504d945064e54d2c328cf9ccf2072e325baf417ceca"),
    ("youtu", "4cd55f3dd1b729b3e61bb188c1c7e00dddbb6bf0a7e35d483e0fab17c8d796bf"),
    ("kimi-k2", "379068ee07b6aa51e89643b284358a9955f58ede1c8de5d01f7a053d4d917ca6"),
    ("deepseek-llm", "a6e2b75fd0a00702d11013664dabf27bfba9b011c04c0cddcb5399627348a863"),
    ("deepseek-coder", "92d385f70853c40fc3768b8fe25f94f7a627d3c6781d66bf7a5b33c81d5e18d9"),
    ("deepseek-v3", "b6b983ef50d370576b8a7ede44c83b7a93a6c8a3cc613ea0325f274f3e0bbd4f"),
    ("spark2_5", "a8a70237e2a35072dec354d57993372d82952f93adb6750b0c9c86689ae25865"),
    ("afmoe", "aeff4772e244425ad97a67428c9d57b220322c403fa5e18ada3518fde366dcda"),
    ("superbpe", "cce5c2ad7e6eb343ddfd07793a4c80612348921efb8aef35b0bca47753ce6118"),
    ("bloom", "47fe167e0ff1dd8b202b98e4f1be9f6f666ef20efc755f21fe62b6c10447f228"),
    ("viking", "a3b3d3a335ac4df676dd9bcb92812583971cfc88870285e68ce2cec3f5f32126"),
    ("gpt-2", "2eb1004ea8d7db0fff6ece1d65265f8a7bdfe476fd7dfcdfc5d2ffe343853828"),
    ("starcoder", "291226e57240e53cecb0a56c359423e7b7cfa81679ff085790bc7b3b60706e1b"),
    ("falcon", "210318efb15eb18a92ba3c59350fe75ca7ba31deac5d4c6b4bad7b359394ff1b"),
    ("falcon_e", "5ead9c5811b7fdb9c43853dd42fe833185d41eb117f55c871f7b0cae36cd3487"),
    ("chameleon", "db29b872f59bfd0c9d965b7a57cffba29d0f1099f17cffed64a26ec2b5c431ae"),
    ("default", "6c62149e2e4a4aee957cae4d7f3bab19dd8e56153a93c0fd2173a79e57460196"),
  ]
}
