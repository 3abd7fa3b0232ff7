"""The 42 columns of Census-Income (KDD), in file order, with the names of UCI's documentation."""

from __future__ import annotations

from typing import Final

LABEL: Final = "income"
POSITIVE: Final = "50000+."
NEGATIVE: Final = "- 50000."
YEAR: Final = "year"
WEIGHT: Final = "instance_weight"
ROW: Final = "row"
"""Position of a row in `data/census.parquet`, from 0: the key that joins every later file."""

INTEGER: Final[dict[str, tuple[int, int]]] = {
    "age": (0, 90),
    "detailed_industry_recode": (0, 51),
    "detailed_occupation_recode": (0, 46),
    "wage_per_hour": (0, 9999),
    "capital_gains": (0, 99999),
    "capital_losses": (0, 4608),
    "dividends_from_stocks": (0, 99999),
    "num_persons_worked_for_employer": (0, 6),
    "own_business_or_self_employed": (0, 2),
    "veterans_benefits": (0, 2),
    "weeks_worked_in_year": (0, 52),
    YEAR: (94, 95),
}
"""Whole-number columns and the range (both ends included) that the survey's codes allow."""

COLUMNS: Final[tuple[str, ...]] = (
    "age",
    "class_of_worker",
    "detailed_industry_recode",
    "detailed_occupation_recode",
    "education",
    "wage_per_hour",
    "enrolled_in_edu_inst_last_wk",
    "marital_status",
    "major_industry_code",
    "major_occupation_code",
    "race",
    "hispanic_origin",
    "sex",
    "member_of_a_labor_union",
    "reason_for_unemployment",
    "full_or_part_time_employment_stat",
    "capital_gains",
    "capital_losses",
    "dividends_from_stocks",
    "tax_filer_status",
    "region_of_previous_residence",
    "state_of_previous_residence",
    "detailed_household_and_family_stat",
    "detailed_household_summary_in_household",
    WEIGHT,
    "migration_code_change_in_msa",
    "migration_code_change_in_reg",
    "migration_code_move_within_reg",
    "live_in_this_house_1_year_ago",
    "migration_prev_res_in_sunbelt",
    "num_persons_worked_for_employer",
    "family_members_under_18",
    "country_of_birth_father",
    "country_of_birth_mother",
    "country_of_birth_self",
    "citizenship",
    "own_business_or_self_employed",
    "fill_inc_questionnaire_for_veterans_admin",
    "veterans_benefits",
    "weeks_worked_in_year",
    YEAR,
    LABEL,
)

ANSWERS: Final[tuple[str, ...]] = tuple(c for c in COLUMNS if c not in (WEIGHT, YEAR, LABEL))
"""What a person answered: everything but the survey's weight, the year and the label."""

TEXT: Final[tuple[str, ...]] = tuple(c for c in COLUMNS if c not in INTEGER and c != WEIGHT)

SLICES: Final[tuple[str, ...]] = ("sex", "race", "age_band")
"""Columns of a predictions file by which results are broken down."""
