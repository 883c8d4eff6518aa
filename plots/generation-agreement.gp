# How many tokens each variant writes as the reference does, mean over prompts.
# data: row, tokens, label, shown.  longest_text: tokens of the longest text.  low, high, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
eval 'set xtics '.ticks
half = 0.32
set arrow 1 from first longest_text, graph 0 to first longest_text, graph 1 nohead lc rgb gray dt 2 lw 1.5
plot data using 2:1:(0):2:($1-half):($1+half):ytic(3) with boxxyerror lc rgb green, \
  data using (high):1:4 with labels left offset 1,0 font sprintf(',%g', value_size)
