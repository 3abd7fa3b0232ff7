"""The example project: who earned over 50,000 dollars, learnt on 1994 and asked again of 1995."""
