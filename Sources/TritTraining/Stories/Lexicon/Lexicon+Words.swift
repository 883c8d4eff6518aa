extension Lexicon {
  /// The classes that templates draw plain words from, by name.
  static let classes: [String: WordClass] = [
    "nice": WordClass(
      """
      nice, lovely, beautiful, sunny, bright, fine, warm, quiet, clear, cool, windy, cloudy, golden,
      breezy, misty, chilly, gentle, fresh, crisp
      """),
    "time": WordClass("day, morning, afternoon, evening"),
    "season": WordClass("summer, spring, winter, autumn"),
    "weekday": WordClass("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "trait": WordClass(
      """
      kind, brave, funny, clever, shy, happy, curious, gentle, busy, careful, cheerful, friendly, quiet,
      honest, playful, polite, helpful, patient, stubborn, proud, lively, thoughtful, bold, silly, dreamy,
      generous, noisy, sleepy
      """),
    "size": WordClass("little, small, big, tiny, young"),
    "color": WordClass(
      "red, blue, green, yellow, white, black, orange, purple, pink, brown, gray, golden, silver"),
    "happy": WordClass(
      "happy, glad, proud, excited, cheerful, delighted, joyful, pleased, thrilled, thankful"),
    "sad": WordClass("sad, unhappy, upset, gloomy, heartbroken, disappointed, lonely, miserable"),
    "angry": WordClass("angry, mad, cross, furious, grumpy, annoyed"),
    "scared": WordClass("scared, afraid, frightened, nervous, worried, terrified, anxious"),
    "said": WordClass("said, replied, whispered, added, answered, explained, declared"),
    "cried": WordClass("cried, shouted, called, yelled, cheered, exclaimed, laughed"),
    "softly": WordClass(
      """
      softly, quietly, slowly, gently, kindly, calmly, shyly, politely, patiently, sweetly, bravely,
      thoughtfully
      """),
    "quickly": WordClass(
      "quickly, fast, at once, right away, happily, eagerly, in a hurry, cheerfully, without waiting"
    ),
    "carefully": WordClass("carefully, slowly, patiently, gently, neatly, quietly"),
    "walked": WordClass(
      "walked, ran, went, hurried, skipped, strolled, marched, raced, wandered, rushed, hiked"),
    "looked": WordClass("looked, searched, peeked, checked, hunted"),
    "very": WordClass("very, so, really, quite, truly"),
    "play": WordClass(
      """
      play tag, climb trees, sing songs, draw pictures, tell stories, chase butterflies, dance, swim,
      read books, collect stones, splash in puddles, fly kites, pick flowers, ride a bike, count clouds,
      jump over logs, look at the stars, feed the ducks, make paper boats, play hide and seek, paint,
      watch the birds, listen to the rain, build towers, roll down the hill, dig holes, solve riddles,
      bake bread, catch fireflies, skip stones
      """),
    "home": WordClass(
      """
      small house, cozy cottage, tall house, quiet village, little town, house with a garden, busy town,
      cabin, farmhouse, yellow house, brick house, house by the sea
      """),
    "den": WordClass(
      """
      hollow tree, cozy den, green forest, little burrow, mossy cave, nest of leaves, warm barn,
      hole under a root, sunny clearing, thick hedge
      """),
    "wow": WordClass("Wow, Oh, Look, Hooray, My goodness, Yes, Oh my, Goody, How wonderful"),
    "oops": WordClass("Oh no, Oh dear, Help, Uh oh, Stop, Wait, Goodness"),
    "animal": WordClass(
      """
      dog, cat, bird, cow, sheep, horse, pig, goose, rooster, swan, crow, robin, wolf, lion, elephant,
      monkey, tiger, zebra, giraffe, whale, dolphin, penguin, parrot, camel, kangaroo
      """),
    "weather": WordClass(
      """
      The sun was shining, The sky was blue, A soft wind was blowing, The birds were singing,
      White clouds floated by, The air smelled of flowers, It had just stopped raining,
      The leaves were rustling, Dew sparkled on the grass, Bees were humming, The air was cool and clean,
      Snow covered the roofs, A rainbow hung over the hills, The grass was still wet,
      Far away a rooster crowed, Fog lay over the fields
      """),
    "dinner": WordClass(
      """
      soup, rice, noodles, potatoes, pancakes, fish, pie, toast, beans, porridge, salad, cheese, stew,
      dumplings, corn, warm bread
      """),
    "dream": WordClass(
      """
      a castle in the clouds, a ship with golden sails, a talking tree, the moon, a friendly dragon,
      a land of candy, flying over the sea, a party with all the animals, a garden full of stars,
      a magic carpet, an island of music, riding on a whale, a train to the sky, a kind giant
      """),
  ]
}
