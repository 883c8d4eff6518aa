# Spread over seeds: each seed, their mean with one standard deviation, and below it the error of the text.
# data: row, mean, mean less and plus one standard deviation, mean less and plus the error of the text, label, shown;
# then row and value of each seed.  low, high, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
eval 'set xtics '.ticks
plot data index 0 using 2:($1+0.26):5:6 with xerrorbars lc rgb orange pt 0 lw 2.2, \
  data index 0 using 2:($1-0.08):3:4:ytic(7) with xerrorbars lc rgb black pt 7 ps 0.9 lw 1.6, \
  data index 1 using 2:($1-0.08) with points lc rgb blue pt 6 ps 0.8 lw 1.2, \
  data index 0 using (high):1:8 with labels left offset 1,0 font sprintf(',%g', value_size)
